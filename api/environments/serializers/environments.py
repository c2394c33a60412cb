"""Environments and their server-side keys on the wire."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.validators import UniqueValidator

from core.fields import ConstantField, IdField
from environments.models import Environment, ServerSideKey
from metadata.serializers import WithCustomFields


class EnvironmentSerializer(WithCustomFields, serializers.ModelSerializer):
    """An environment. Its project stays."""

    use_mv_v2_evaluation = serializers.BooleanField(
        source="use_identity_composite_key_for_hashing", read_only=True
    )
    is_creating = ConstantField(value=False)

    class Meta:
        model = Environment
        fields = [
            "id",
            "uuid",
            "name",
            "api_key",
            "description",
            "project",
            "minimum_change_request_approvals",
            "allow_client_traits",
            "banner_text",
            "banner_colour",
            "hide_disabled_flags",
            "use_mv_v2_evaluation",
            "use_identity_composite_key_for_hashing",
            "hide_sensitive_data",
            "use_v2_feature_versioning",
            "use_identity_overrides_in_local_eval",
            "is_creating",
            "metadata",
        ]
        read_only_fields = ["project", "use_v2_feature_versioning"]
        extra_kwargs = {
            # A key that was once in use is never given to another environment.
            "api_key": {
                "validators": [
                    *Environment._meta.get_field("api_key").validators,
                    UniqueValidator(
                        Environment.all_objects.all(), "Environment with this api key already exists."
                    ),
                ]
            }
        }


class ProjectOfNewEnvironment(IdField):
    """The project's id. Whatever is wrong with it, the caller may not create environments there: 403."""

    def run_validation(self, data: Any = serializers.empty) -> int:
        try:
            return int(super().run_validation(data))
        except ValidationError as error:
            raise PermissionDenied from error


class NewEnvironmentSerializer(EnvironmentSerializer):
    """An environment to be made."""

    project = ProjectOfNewEnvironment()

    class Meta(EnvironmentSerializer.Meta):
        read_only_fields = ["use_v2_feature_versioning"]

    def to_representation(self, instance: Environment) -> dict[str, Any]:
        return EnvironmentSerializer(instance, context=self.context).data


class EnvironmentDetailSerializer(EnvironmentSerializer):
    """An environment with its size."""

    total_segment_overrides = serializers.SerializerMethodField()

    class Meta(EnvironmentSerializer.Meta):
        fields = [*EnvironmentSerializer.Meta.fields, "total_segment_overrides"]

    def get_total_segment_overrides(self, environment: Environment) -> int:
        number: int = environment.feature_segments.count()
        return number


class ProjectEnvironmentSerializer(EnvironmentSerializer):
    """An environment without its custom fields."""

    class Meta(EnvironmentSerializer.Meta):
        fields = [field for field in EnvironmentSerializer.Meta.fields if field != "metadata"]


class ServerSideKeySerializer(serializers.ModelSerializer):
    """A key that servers read an environment with."""

    class Meta:
        model = ServerSideKey
        fields = ["id", "key", "active", "created_at", "name", "expires_at"]
        read_only_fields = ["key"]
