"""Reading custom fields."""

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from metadata.models import Attachment, CustomField, Requirement
from projects.models import Project


def described_fields() -> QuerySet[CustomField]:
    """Definitions with their attachments and where those are required, in three queries."""
    fields: QuerySet[CustomField] = CustomField.objects.undeleted()
    return fields.prefetch_related(Prefetch("attachments", described_attachments()))


def described_attachments() -> QuerySet[Attachment]:
    """Attachments with where they are required. Deleted projects require nothing."""
    requirements = Requirement.objects.filter(Q(project__isnull=True) | Q(project__deleted_at__isnull=True))
    return Attachment.objects.filter(field__in=CustomField.objects.undeleted()).prefetch_related(
        Prefetch("requirements", requirements)
    )


def fields_of_project(
    project: Project, *, include_organisation: bool = False, kind: str | None = None
) -> QuerySet[CustomField]:
    """Return what is defined for a project.

    Args:
        include_organisation: also what its organisation defines, but for what the project hides.
        kind: only what is attached to this kind of entity.
    """
    defined = Q(project=project)
    if include_organisation:
        defined |= Q(project__isnull=True, organisation=project.organisation_id) & ~Q(is_hidden=True)
    fields = described_fields().alias(is_hidden=hidden_in(project)).filter(defined)
    return fields if kind is None else fields.filter(attachments__kind=kind)


def attachments_in(project: Project, kind: str) -> QuerySet[Attachment]:
    """Return which fields entities of a kind may have in a project, each with whether it `is_required`.

    A field of the organisation isn't required where the project hides it with one of the same name.
    """
    required = Requirement.objects.filter(
        Q(project=project) | Q(organisation=project.organisation_id), attachment=OuterRef("pk")
    )
    return (
        Attachment.objects.filter(
            Q(field__project__isnull=True) | Q(field__project=project),
            field__organisation=project.organisation_id,
            kind=kind,
        )
        .select_related("field")
        .annotate(is_required=Exists(required) & ~hidden_in(project, "field__"))
    )


def hidden_in(project: Project, prefix: str = "") -> Q:
    """Return the condition on organisations' fields that a field of `project` has their name."""
    same_name = CustomField.objects.filter(project=project, name=OuterRef(f"{prefix}name"))
    return Q(Exists(same_name), **{f"{prefix}project__isnull": True})
