"""Custom fields and their values. Nothing of this is written to the audit log, or shown to SDKs."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import QuerySet

from core.errors import InvalidInput
from metadata.exceptions import ForeignProjectError, ForeignRequirementError, NameTakenError
from metadata.models import Attachment, CustomField, Requirement, Value, values_of_project
from metadata.selectors import attachments_in
from metadata.validation import is_valid
from organisations.models import Organisation
from projects.models import Project


class FieldProperties(TypedDict, total=False):
    """What a definition says."""

    name: str
    type: str
    description: str | None


class FieldChanges(FieldProperties, total=False):
    """What may be changed of a definition. What is left out stays as it is."""

    project: Project | None


class WantedRequirement(TypedDict):
    """Where a field is to be required: `kind` is "organisation" or "project"."""

    kind: str
    object_id: int


class WantedValue(TypedDict):
    """What an entity is to have in the field that an attachment is of."""

    attachment_id: int
    value: str


@transaction.atomic
def create_field(
    organisation: Organisation, *, project: Project | None = None, **properties: Unpack[FieldProperties]
) -> CustomField:
    """Define a field for an organisation, or for one of its projects.

    Raises:
        InvalidInput: the name is taken, or the project is another organisation's.
    """
    field = CustomField(organisation=organisation, project=project, **properties)
    _check_definition(field)
    field.save()
    return field


@transaction.atomic
def update_field(field: CustomField, **changes: Unpack[FieldChanges]) -> CustomField:
    """Change what is given of a definition. Values stay; they are checked anew when they are next written.

    Raises:
        InvalidInput: the name is taken, the project is another organisation's, or entities of other
            projects have values.
    """
    for name, value in changes.items():
        setattr(field, name, value)
    _check_definition(field)
    if project := changes.get("project"):
        values = Value.objects.filter(attachment__field=field)
        if values.exclude(pk__in=values.filter(values_of_project(project))).exists():
            raise InvalidInput({"project": ["Objects outside this project have values of this field."]})
    field.save(update_fields=list(changes))
    return field


def delete_field(field: CustomField) -> None:
    """Delete a definition, and with it all values of all entities."""
    field.delete()


@transaction.atomic
def attach_field(
    field: CustomField, kind: str, *, requirements: Sequence[WantedRequirement] = ()
) -> Attachment:
    """Let entities of a kind have a field.

    Raises:
        InvalidInput: they have it already, or the field is required in another organisation.
    """
    if field.attachments.filter(kind=kind).exists():
        reason = "The fields field, content_type must make a unique set."
        raise InvalidInput({"non_field_errors": [reason]})
    attachment = Attachment.objects.create(field=field, kind=kind)
    _require(attachment, requirements)
    return attachment


@transaction.atomic
def replace_requirements(attachment: Attachment, requirements: Sequence[WantedRequirement]) -> Attachment:
    """Require a field there, and nowhere else. What lacks a value is refused when it is next written.

    Raises:
        InvalidInput: one of the places is in another organisation.
    """
    Attachment.objects.select_for_update(no_key=True).get(
        pk=attachment.pk
    )  # one at a time: a list of its own
    attachment.requirements.all().delete()
    _require(attachment, requirements)
    return attachment


def detach_field(attachment: Attachment) -> None:
    """Let entities of a kind no longer have a field. Their values are gone."""
    attachment.delete()


@transaction.atomic
def replace_values(entity: Any, wanted: Sequence[WantedValue]) -> None:
    """Give a feature, a segment or an environment these values of custom fields, and no others.

    Raises:
        InvalidInput: one of the fields isn't for this entity, a value isn't of the field's type, or a
            required one is missing.
    """
    attachments = {each.pk: each for each in attachments_in(entity.project, _kind_of(entity))}
    _check_values(attachments, wanted)
    if not attachments:
        return
    # One writer at a time, or two of them would each put values next to the other's.
    type(entity)._base_manager.select_for_update(no_key=True).get(pk=entity.pk)
    new = {each["attachment_id"]: each["value"] for each in wanted}
    stored = _stored(entity)
    if dict(stored.values_list("attachment", "value")) != new:
        stored.delete()
        _store(entity, new.items())


def copy_values(source: Any, copy: Any) -> None:
    """Give a copy of an entity, in the same project, the values that the entity has."""
    _store(copy, _stored(source).values_list("attachment", "value"))


def _check_definition(field: CustomField) -> None:
    if field.project and field.project.organisation_id != field.organisation_id:
        raise ForeignProjectError
    same = CustomField.objects.filter(
        organisation=field.organisation_id, project=field.project, name=field.name
    )
    if same.exclude(pk=field.pk).exists():
        raise NameTakenError


def _require(attachment: Attachment, requirements: Iterable[WantedRequirement]) -> None:
    organisation_id = attachment.field.organisation_id
    places = {(each["kind"], each["object_id"]) for each in requirements}
    projects = {number for kind, number in places if kind == "project"}
    own = Project.objects.filter(pk__in=projects, organisation=organisation_id)
    if places - {("organisation", organisation_id), *(("project", number) for number in projects)}:
        raise ForeignRequirementError
    if own.count() != len(projects):
        raise ForeignRequirementError
    Requirement.objects.bulk_create(
        Requirement(attachment=attachment, **{f"{kind}_id": number}) for kind, number in sorted(places)
    )


def _check_values(attachments: dict[int, Attachment], wanted: Sequence[WantedValue]) -> None:
    problems = []
    given = set()
    for each in wanted:
        number, value = each["attachment_id"], each["value"]
        attachment = attachments.get(number)
        if attachment is None:
            problems.append(f'Invalid pk "{number}" - object does not exist.')
        elif number in given:
            problems.append(f"More than one value for field {attachment.field.name}")
        elif not is_valid(attachment.field.type, value):
            problems.append(f"Invalid value for field {attachment.field.name}")
        given.add(number)
    problems += [
        f"Missing required metadata field: {attachment.field.name}"
        for attachment in attachments.values()
        if attachment.is_required and attachment.pk not in given  # type: ignore[attr-defined]
    ]
    if problems:
        raise InvalidInput({"metadata": problems})


def _kind_of(entity: Any) -> str:
    return str(entity._meta.model_name)


def _stored(entity: Any) -> QuerySet[Value]:
    return Value.objects.filter(**{_kind_of(entity): entity})


def _store(entity: Any, values: Iterable[tuple[int, str]]) -> None:
    Value.objects.bulk_create(
        Value(attachment_id=number, value=value, **{_kind_of(entity): entity}) for number, value in values
    )
