"""Custom fields: what an organisation wants to note down about its features, segments and environments.

A field is defined once, for an organisation or for one of its projects; attached to kinds of entities; and
may be required in the organisation or in some projects. Nothing of this shows to SDKs, so nothing publishes.
"""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from core.history import remembers
from metadata.tenancy import FIELDS_STAY_INSIDE, REQUIREMENTS_STAY_INSIDE, VALUES_STAY_INSIDE
from organisations.models import Organisation
from projects.models import Project


class FieldType(models.TextChoices):
    INT = "int", "integer"
    STR = "str", "text"
    BOOL = "bool", "true or false"
    URL = "url", "URL"
    MULTILINE_STR = "multiline_str", "text of several lines"


class EntityKind(models.TextChoices):
    """What may have values. Its words are the names of the models."""

    FEATURE = "feature"
    SEGMENT = "segment"
    ENVIRONMENT = "environment"


class CustomFieldQuerySet(models.QuerySet):
    def undeleted(self) -> Self:
        """Those whose organisation and project, if they have one, are there."""
        return self.filter(
            Q(project__isnull=True) | Q(project__deleted_at__isnull=True),
            organisation__deleted_at__isnull=True,
        )


class CustomField(models.Model):
    """A definition. One without a project is for all projects of the organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="custom_fields")
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="custom_fields",
        help_text="Empty: for all projects of the organisation.",
    )
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=13, choices=FieldType, default=FieldType.STR)
    description = models.TextField(null=True, blank=True)

    objects = CustomFieldQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "name"],
                condition=Q(project__isnull=True),
                name="custom_field_once_in_organisation",
                violation_error_message="A metadata field with this name already exists.",
            ),
            models.UniqueConstraint(
                fields=["project", "name"],
                name="custom_field_once_in_project",
                violation_error_message="A metadata field with this name already exists.",
            ),
        ]
        triggers = [
            FIELDS_STAY_INSIDE,
            *remembers(project="changed.project_id", organisation="changed.organisation_id"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.project and self.project.organisation_id != self.organisation_id:
            raise ValidationError({"project": "Project must belong to the specified organisation."})


class Attachment(models.Model):
    """That entities of a kind have a field. The API calls it a model field."""

    field = models.ForeignKey(CustomField, on_delete=models.CASCADE, related_name="attachments")
    kind = models.CharField(max_length=11, choices=EntityKind)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["field", "kind"],
                name="custom_field_attached_once",
                violation_error_message="The fields field, content_type must make a unique set.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=EntityKind.values), name="custom_field_attached_to_known_kind"
            ),
        ]
        triggers = remembers(
            name="(SELECT name FROM metadata_customfield WHERE id = changed.field_id)",
            project="(SELECT project_id FROM metadata_customfield WHERE id = changed.field_id)",
            organisation="(SELECT organisation_id FROM metadata_customfield WHERE id = changed.field_id)",
        )

    def __str__(self) -> str:
        return f"{self.field} of {self.get_kind_display()}s"


_FIELD = """(
    SELECT field.{column} FROM metadata_customfield AS field
    JOIN metadata_attachment AS attachment ON attachment.field_id = field.id
    WHERE attachment.id = changed.attachment_id
)"""


class Requirement(models.Model):
    """That entities must have a value: in all projects of the organisation, or in one project."""

    attachment = models.ForeignKey(Attachment, on_delete=models.CASCADE, related_name="requirements")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(organisation__isnull=True) ^ Q(project__isnull=True),
                name="requirement_in_one_place",
                violation_error_message="A field is required either in an organisation or in a project.",
            ),
            models.UniqueConstraint(fields=["attachment", "organisation"], name="required_once_organisation"),
            models.UniqueConstraint(fields=["attachment", "project"], name="required_once_project"),
        ]
        triggers = [
            REQUIREMENTS_STAY_INSIDE,
            *remembers(
                name=_FIELD.format(column="name"),
                project="changed.project_id",
                organisation=_FIELD.format(column="organisation_id"),
            ),
        ]

    def __str__(self) -> str:
        return f"required in {self.organisation or self.project}"

    def clean(self) -> None:
        organisation_id = self.project.organisation_id if self.project else self.organisation_id
        if organisation_id not in (None, self.attachment.field.organisation_id):
            raise ValidationError("The requirement organisation does not match the field organisation")


class Value(models.Model):
    """What an entity has in a field, as text. Exactly one of the three keys says whose it is."""

    attachment = models.ForeignKey(Attachment, on_delete=models.CASCADE, related_name="values")
    feature = models.ForeignKey(
        "features.Feature", on_delete=models.CASCADE, null=True, related_name="metadata"
    )
    segment = models.ForeignKey(
        "segments.Segment", on_delete=models.CASCADE, null=True, related_name="metadata"
    )
    environment = models.ForeignKey(
        "environments.Environment", on_delete=models.CASCADE, null=True, related_name="metadata"
    )
    value = models.CharField(max_length=2000)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(feature__isnull=False, segment__isnull=True, environment__isnull=True)
                | Q(feature__isnull=True, segment__isnull=False, environment__isnull=True)
                | Q(feature__isnull=True, segment__isnull=True, environment__isnull=False),
                name="value_of_one_entity",
            ),
            *(
                models.UniqueConstraint(fields=["attachment", kind], name=f"value_once_for_{kind}")
                for kind in ("feature", "segment", "environment")
            ),
        ]
        triggers = [
            VALUES_STAY_INSIDE,
            *remembers(
                name=_FIELD.format(column="name"),
                environment="changed.environment_id",
                project="""coalesce(
                    (SELECT project_id FROM features_feature WHERE id = changed.feature_id),
                    (SELECT project_id FROM segments_segment WHERE id = changed.segment_id),
                    (SELECT project_id FROM environments_environment WHERE id = changed.environment_id)
                )""",
                organisation=_FIELD.format(column="organisation_id"),
            ),
        ]

    def __str__(self) -> str:
        return self.value


def values_of_project(project: Project) -> Q:
    """Return the condition on values that their entities are a project's."""
    return Q(feature__project=project) | Q(segment__project=project) | Q(environment__project=project)
