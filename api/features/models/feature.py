"""Features and the variants they may take."""

import uuid

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from core.digests import Digest
from core.history import remembers
from core.models import LIVE, SoftDeletableModel
from core.publishing import publishes
from features.models.defaults_sql import ALLOCATIONS_OF_NEW_OPTION, STATES_OF_NEW_FEATURE
from features.models.values import TYPED_VALUE, TypedValue
from projects.models import Project, Tag


class FeatureType(models.TextChoices):
    STANDARD = "STANDARD"
    MULTIVARIATE = "MULTIVARIATE"


class Feature(SoftDeletableModel):
    """Something a project can switch on, off or vary. What it serves, its feature states say."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="features")
    name = models.CharField(max_length=2000)
    type = models.CharField(
        max_length=50,
        choices=FeatureType,
        default=FeatureType.STANDARD,
        help_text="Follows the options: MULTIVARIATE as long as there is one.",
    )
    description = models.TextField(null=True, blank=True)
    created_date = models.DateTimeField(auto_now_add=True)
    default_enabled = models.BooleanField(
        default=False, help_text="Whether it starts enabled in each environment."
    )
    initial_value = models.TextField(
        null=True, blank=True, help_text="The value it starts with in each environment."
    )
    is_archived = models.BooleanField(default=False)
    is_server_key_only = models.BooleanField(
        default=False, help_text="Left out of answers to client-side keys."
    )
    tags = models.ManyToManyField(Tag, related_name="features", blank=True)
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="owned_features", blank=True)
    group_owners = models.ManyToManyField("organisations.Group", related_name="owned_features", blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                "project",
                Digest(Lower("name")),
                condition=LIVE,
                name="feature_name_once",
                violation_error_message=(
                    "Feature with that name already exists for this project. "
                    "Note that feature names are case insensitive."
                ),
            )
        ]
        triggers = [
            *publishes(
                "SELECT changed.project_id, 0 AS environment_id FROM {changed}",
                [
                    "id",
                    "project_id",
                    "name",
                    "type",
                    "description",
                    "created_date",
                    "default_enabled",
                    "initial_value",
                    "is_archived",
                    "is_server_key_only",
                    "deleted_at",
                ],
            ),
            pgtrigger.Trigger(
                name="give_default_states",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=STATES_OF_NEW_FEATURE,
            ),
            *remembers(project="changed.project_id"),
        ]

    def __str__(self) -> str:
        return self.name


_FEATURE = "(SELECT {column} FROM features_feature WHERE id = changed.feature_id)"


class FeatureTag(Feature.tags.through):  # type: ignore[name-defined,misc]
    """No model of its own: carries the triggers of the table between features and tags."""

    class Meta:
        proxy = True
        triggers = remembers(
            name=_FEATURE.format(column="name"), project=_FEATURE.format(column="project_id")
        )


class FeatureOwner(Feature.owners.through):  # type: ignore[name-defined,misc]
    """The same for the table between features and their owners."""

    class Meta:
        proxy = True
        triggers = remembers(
            name=_FEATURE.format(column="name"), project=_FEATURE.format(column="project_id")
        )


class FeatureGroupOwner(Feature.group_owners.through):  # type: ignore[name-defined,misc]
    """The same for the table between features and the groups that own them."""

    class Meta:
        proxy = True
        triggers = remembers(
            name=_FEATURE.format(column="name"), project=_FEATURE.format(column="project_id")
        )


class MultivariateOption(TypedValue):
    """One of a feature's variants. Identities that fall to none keep the control value, the state's own."""

    changes_with = "feature"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="multivariate_options")
    key = models.SlugField(
        max_length=255, null=True, blank=True, help_text="The variant's name in SDK answers."
    )
    default_percentage_allocation = models.FloatField(
        default=100, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["feature", "key"],
                name="option_key_once",
                violation_error_message="Multivariate option with this key already exists for the feature.",
            ),
            models.CheckConstraint(condition=TYPED_VALUE, name="option_value_typed"),
            models.CheckConstraint(
                condition=Q(default_percentage_allocation__range=(0, 100)),
                name="option_percentage_in_range",
                violation_error_message="Invalid percentage allocation",
            ),
            models.CheckConstraint(
                condition=Q(key__isnull=True) | ~Q(key="control"),
                name="option_key_not_control",
                violation_error_message='"control" is a reserved variant key.',
            ),
        ]
        triggers = [
            *publishes(
                "SELECT feature.project_id, 0 AS environment_id "
                "FROM {changed} JOIN features_feature AS feature ON feature.id = changed.feature_id",
                ["id", "feature_id", "key", "type", "string_value", "integer_value", "boolean_value"],
            ),
            pgtrigger.Trigger(
                name="give_allocations",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=ALLOCATIONS_OF_NEW_OPTION,
            ),
            pgtrigger.Trigger(
                name="back_to_standard",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                func="""
                UPDATE features_feature SET type = 'STANDARD'
                WHERE id = OLD.feature_id AND NOT EXISTS (
                    SELECT FROM features_multivariateoption AS option WHERE option.feature_id = OLD.feature_id
                );
                RETURN NULL;
                """,
            ),
            *remembers(name=_FEATURE.format(column="name"), project=_FEATURE.format(column="project_id")),
        ]

    def __str__(self) -> str:
        return self.key or str(self.value)
