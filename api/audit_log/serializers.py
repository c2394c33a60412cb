"""The audit log on the wire."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from audit.models import ChangeType, RelatedObjectType
from core.fields import INT32_MAX, IdField
from core.queries import QuerySerializer
from environments.serializers.environments import EnvironmentSerializer
from projects.serializers.projects import ProjectSerializer
from users.serializers import UserSummarySerializer

LONGEST_SEARCH = 256
# Of these, clients know the object by its uuid.
_KNOWN_BY_UUID = {RelatedObjectType.EF_VERSION, RelatedObjectType.EDGE_IDENTITY}


class AuditQuery(QuerySerializer):
    """Which rows of the audit log are asked for."""

    project = serializers.IntegerField(required=False, min_value=0, max_value=INT32_MAX)
    environments = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=INT32_MAX),
        required=False,
        max_length=1000,
        help_text="Environments' ids: `environments=1&environments=2`.",
    )
    is_system_event = serializers.BooleanField(required=False, allow_null=True, default=None)
    search = serializers.CharField(required=False, max_length=LONGEST_SEARCH, help_text="Text within `log`.")
    author = serializers.IntegerField(
        required=False, min_value=0, max_value=INT32_MAX, help_text="A user's id."
    )
    related_object_type = serializers.CharField(required=False, max_length=100)
    related_object_id = serializers.IntegerField(required=False, min_value=0, max_value=INT32_MAX)
    created_after = serializers.DateTimeField(required=False, help_text="From this moment on.")
    created_before = serializers.DateTimeField(required=False, help_text="Until then, exclusively.")
    history = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Every row that was changed, also of what the audit log doesn't tell of by itself: "
        "members, groups, invitations, keys, tags, projects, webhooks, roles, permissions, custom fields.",
    )

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        # A repeated parameter has all its values.
        given: dict[str, Any] = {name: value for name, value in request.query_params.dict().items() if value}
        if environments := [each for each in request.query_params.getlist("environments") if each]:
            given["environments"] = environments
        query = cls(data=given)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class AuditedEnvironmentSerializer(EnvironmentSerializer):
    """An environment, without its custom fields."""

    class Meta(EnvironmentSerializer.Meta):
        fields = [each for each in EnvironmentSerializer.Meta.fields if each != "metadata"]
        read_only_fields = fields


class AuditItemSerializer(serializers.Serializer):
    """A row of the audit log."""

    id = IdField(read_only=True)
    created_date = serializers.DateTimeField(read_only=True)
    log = serializers.CharField(read_only=True)
    author = UserSummarySerializer(read_only=True, allow_null=True)
    environment = AuditedEnvironmentSerializer(read_only=True, allow_null=True)
    project = ProjectSerializer(read_only=True, allow_null=True)
    related_object_id = serializers.IntegerField(read_only=True, allow_null=True)
    related_object_uuid = serializers.SerializerMethodField()
    related_object_type = serializers.CharField(read_only=True)
    is_system_event = serializers.BooleanField(read_only=True)

    def get_related_object_uuid(self, row: Any) -> str | None:
        kind, uuid = row.related_object_type, row.related_object_uuid
        deleted_segment = kind == RelatedObjectType.SEGMENT and row.change_type == ChangeType.DELETE
        is_shown = kind in _KNOWN_BY_UUID or deleted_segment or kind not in RelatedObjectType.values
        return str(uuid) if uuid and is_shown else None


class FieldChangeSerializer(serializers.Serializer):
    """What became of one field."""

    field = serializers.CharField(read_only=True)
    old = serializers.JSONField(read_only=True, allow_null=True)
    new = serializers.JSONField(read_only=True, allow_null=True)


class PublishedSerializer(serializers.Serializer):
    """The revision of an environment that SDKs see a change from."""

    environment = serializers.IntegerField(read_only=True)
    revision = serializers.IntegerField(read_only=True)


class CauseSerializer(serializers.Serializer):
    """Who made a change, people and machines alike, as they were called then."""

    name = serializers.CharField(read_only=True)
    source = serializers.CharField(  # type: ignore[assignment]  # a key of JSON
        read_only=True, help_text="`api`, `admin`, `command` or `task`; empty: not known."
    )
    request_id = serializers.CharField(read_only=True)


class AuditDetailSerializer(AuditItemSerializer):
    """A row of the audit log, field by field."""

    change_details = FieldChangeSerializer(many=True, read_only=True)
    change_type = serializers.ChoiceField(ChangeType.choices, read_only=True)
    revisions = PublishedSerializer(many=True, read_only=True)
    changed_by = CauseSerializer(read_only=True)
