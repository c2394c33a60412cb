"""Custom fields on the wire, where an attachment is a "model field" and a kind is a content type's number."""

from typing import Any

from rest_framework import serializers

from core.errors import InvalidInput
from core.fields import ChoiceField, IdField, WholeItem
from core.queries import QuerySerializer
from metadata.kinds import ENTITIES, SCOPES, content_type_of, kind_numbered
from metadata.models import Attachment, CustomField, EntityKind, FieldType, Requirement, Value


class ContentTypeField(IdField):
    """A kind of object that may have custom fields, as the number of its content type."""

    default_error_messages = {"unsupported": "Objects of this kind have no custom fields."}

    def to_internal_value(self, data: Any) -> str:  # type: ignore[override]
        kind = kind_numbered(super().to_internal_value(data), ENTITIES)
        if kind is None:
            self.fail("unsupported")
        return kind

    def run_validators(self, value: Any) -> None:
        """There is nothing to add: the number's validators would be given a word."""

    def to_representation(self, value: str) -> int:  # type: ignore[override]
        return int(content_type_of(value).pk)


class RequirementSerializer(WholeItem, serializers.Serializer):
    """Where a field is required: an organisation or a project."""

    content_type = IdField()
    object_id = IdField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        kind = kind_numbered(attrs["content_type"], SCOPES)
        return {"kind": kind, "object_id": attrs["object_id"]}

    def to_representation(self, instance: Requirement) -> dict[str, int | None]:
        if instance.project_id is None:
            return {
                "content_type": content_type_of("organisation").pk,
                "object_id": instance.organisation_id,
            }
        return {"content_type": content_type_of("project").pk, "object_id": instance.project_id}


class AttachmentSummarySerializer(serializers.ModelSerializer):
    """To which kind of entity a field is attached, and where it is required of them."""

    content_type = ContentTypeField(source="kind", read_only=True)
    is_required_for = RequirementSerializer(source="requirements", many=True, read_only=True)

    class Meta:
        model = Attachment
        fields = ["id", "content_type", "is_required_for"]


class AttachmentSerializer(serializers.ModelSerializer):
    """A field, attached to a kind of entity. Both stay; where it is required, changes."""

    field = IdField(source="field_id")
    content_type = ContentTypeField(source="kind")
    is_required_for = RequirementSerializer(  # type: ignore[call-arg]  # the list's, not the item's
        source="requirements", many=True, required=False, max_length=1000
    )

    class Meta:
        model = Attachment
        fields = ["id", "field", "content_type", "is_required_for"]

    def validate_is_required_for(self, requirements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if any(each["kind"] is None for each in requirements):
            reason = "The requirement content type must be project or organisation"
            raise InvalidInput({"non_field_errors": [reason]})
        return requirements


class CustomFieldSerializer(serializers.ModelSerializer):
    """A definition."""

    type = ChoiceField(choices=FieldType.choices, required=False)
    organisation = IdField(source="organisation_id")
    project = IdField(source="project_id", required=False, allow_null=True)
    model_fields = AttachmentSummarySerializer(source="attachments", many=True, read_only=True)

    class Meta:
        model = CustomField
        fields = ["id", "name", "type", "description", "organisation", "project", "model_fields"]
        # They need the organisation's fields: the service checks.
        validators: list[Any] = []


class ValueSerializer(WholeItem, serializers.ModelSerializer):
    """What an entity has in a field. Ids are new with every change, and ignored."""

    model_field = IdField(source="attachment_id")
    field_value = serializers.CharField(
        source="value", max_length=2000, allow_blank=True, trim_whitespace=False
    )

    class Meta:
        model = Value
        fields = ["id", "model_field", "field_value"]


class WithCustomFields(serializers.Serializer):
    """An entity with its values of custom fields.

    What isn't sent is the empty list, in a PATCH as well: the Flagsmith management contract, "Writing".
    """

    metadata = ValueSerializer(  # type: ignore[call-arg]  # the list's, not the item's
        many=True, required=False, max_length=1000
    )

    def validate(self, attrs: dict[str, Any]) -> Any:
        return {"metadata": [], **super().validate(attrs)}


class ContentTypeSerializer(serializers.Serializer):
    """A kind of object and its number on this server."""

    id = serializers.IntegerField()
    app_label = serializers.CharField()
    model = serializers.CharField()


class FieldQuery(QuerySerializer):
    """Whose definitions to list."""

    organisation = IdField(help_text="The id of their organisation.")


class ProjectFieldQuery(QuerySerializer):
    """Which definitions to list for a project."""

    include_organisation = serializers.BooleanField(
        required=False, help_text="Also those of the organisation that no field of the project hides."
    )
    entity = ChoiceField(
        choices=EntityKind.choices, required=False, help_text="Attached to this kind of entity."
    )


class AttachmentQuery(QuerySerializer):
    """Which attachments to list."""

    content_type = serializers.IntegerField(required=False, help_text="Of this kind of entity.")


class ModelNameQuery(QuerySerializer):
    """For which kind of entity to ask."""

    model_name = serializers.CharField(required=False, default="", help_text="`feature`, for instance.")
