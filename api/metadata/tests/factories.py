"""Custom fields for tests."""

from typing import Any

from metadata.models import Attachment, CustomField


def make_field(organisation: Any, name: str = "Ticket", **properties: Any) -> CustomField:
    return CustomField.objects.create(organisation=organisation, name=name, **properties)


def make_attachment(
    organisation: Any, name: str = "Ticket", kind: str = "feature", required_in: Any = None, **properties: Any
) -> Attachment:
    """Attach a new field, and require it in an organisation or a project if one is given."""
    attachment = make_field(organisation, name, **properties).attachments.create(kind=kind)
    if required_in is not None:
        attachment.requirements.create(**{required_in._meta.model_name: required_in})
    return attachment
