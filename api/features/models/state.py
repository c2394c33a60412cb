"""Feature states: what a feature serves, by default in an environment, to a segment, or to one identity."""

import uuid
from typing import ClassVar

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.constraints import DeferrableUniqueConstraint
from core.history import remembers
from core.models import LIVE, SoftDeletableManager, SoftDeletableModel, SoftDeletableQuerySet
from core.publishing import publishes
from environments.models import Environment
from features.models.feature import Feature, MultivariateOption
from features.models.values import TYPED_VALUE, TypedValue
from features.models.version import EnvironmentFeatureVersion
from identities.models import Identity
from segments.models import Segment

# What SDKs are served: not a draft, not a version that has been replaced or is still to come. A column
# and not a comparison with the clock, so that going live is a write, and so publishes itself.
SERVED = LIVE & Q(is_live=True)
FOR_EVERYONE = Q(feature_segment__isnull=True, identity__isnull=True)
OF_A_VERSION = Q(environment_feature_version__isnull=False)

_FEATURE = "(SELECT name FROM features_feature WHERE id = changed.feature_id)"


class ServedManager(SoftDeletableManager):
    """Shows what SDKs are served, so that drafts and former versions get into no list and no number."""

    def get_queryset(self) -> SoftDeletableQuerySet:
        return super().get_queryset().filter(is_live=True)


class VersionedModel(SoftDeletableModel):
    """A row that is served, or belongs to a version that isn't: a draft, a scheduled or a former one.

    `objects` sees what is served, `all_objects.undeleted()` versions' rows as well.
    """

    environment_feature_version = models.ForeignKey(
        EnvironmentFeatureVersion,
        on_delete=models.CASCADE,
        null=True,
        editable=False,
        db_index=False,  # an index of the rows that have one is enough
        related_name="%(class)ss",
    )
    is_live = models.BooleanField(default=True, editable=False)

    objects: ClassVar[ServedManager] = ServedManager()

    class Meta:
        abstract = True


class FeatureSegment(VersionedModel):
    """Binds a segment to a feature in one environment. The lowest `priority` that matches wins."""

    changes_with = "feature"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="feature_segments")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="feature_segments")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="feature_segments")
    priority = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["priority", "id"]
        indexes = [
            models.Index(
                fields=["environment_feature_version"], condition=OF_A_VERSION, name="segments_of_version"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["feature", "environment", "segment"],
                condition=SERVED,
                name="segment_override_once",
                violation_error_message="The feature already has an override for this segment.",
            ),
            DeferrableUniqueConstraint(
                fields=["feature", "environment", "priority"],
                condition=SERVED,
                name="segment_override_priorities",
                violation_error_message="Two segment overrides of a feature can't have the same priority.",
            ),
            models.UniqueConstraint(
                fields=["environment_feature_version", "segment"],
                condition=LIVE & OF_A_VERSION,
                name="segment_override_once_per_version",
                violation_error_message="The feature already has an override for this segment.",
            ),
        ]
        triggers = [
            *publishes(
                "SELECT 0 AS project_id, changed.environment_id FROM {changed} "
                "WHERE changed.is_live AND changed.deleted_at IS NULL",
                ["id", "feature_id", "segment_id", "environment_id", "priority", "is_live", "deleted_at"],
            ),
            *remembers(name=_FEATURE, environment="changed.environment_id"),
        ]

    def __str__(self) -> str:
        return f"{self.feature} for {self.segment}"


class FeatureState(VersionedModel, TypedValue):
    """What a feature serves in one environment: to all, to a segment, or to one identity.

    `hash_seed` decides, with an identity, the variant it is given. It stays when a state is copied
    into a new version or a cloned environment, so that nobody is moved to another variant. Empty
    means the state's own id.
    """

    changes_with = "feature"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="feature_states")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="feature_states")
    feature_segment = models.ForeignKey(
        FeatureSegment, on_delete=models.CASCADE, null=True, blank=True, related_name="feature_states"
    )
    identity = models.ForeignKey(
        Identity, on_delete=models.CASCADE, null=True, blank=True, related_name="feature_states"
    )
    enabled = models.BooleanField(default=False)
    hash_seed = models.PositiveIntegerField(null=True, blank=True, editable=False)
    version = models.IntegerField(null=True, default=1, editable=False)
    live_from = models.DateTimeField(null=True, default=timezone.now, editable=False)
    # By its id alone: change requests stand above features.
    change_request_id = models.IntegerField(
        null=True, editable=False, help_text="The change request that made it what it is, if one did."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["environment_feature_version"], condition=OF_A_VERSION, name="states_of_version"
            ),
            # What lists of features count of each.
            models.Index(
                fields=["environment", "feature"],
                condition=SERVED & Q(feature_segment__isnull=False),
                name="served_segment_overrides",
            ),
            models.Index(
                fields=["environment", "feature"],
                condition=SERVED & Q(identity__isnull=False),
                name="served_identity_overrides",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["feature", "environment"],
                condition=SERVED & Q(feature_segment__isnull=True, identity__isnull=True),
                name="one_default_state",
                violation_error_message="The feature already has a default state in this environment.",
            ),
            models.UniqueConstraint(
                fields=["feature_segment"],
                condition=SERVED,
                name="one_state_per_feature_segment",
                violation_error_message="The feature already has an override for this segment.",
            ),
            models.UniqueConstraint(
                fields=["identity", "feature"],
                condition=SERVED,
                name="one_state_per_identity",
                violation_error_message="The feature already has an override for this identity.",
            ),
            models.UniqueConstraint(
                fields=["environment_feature_version"],
                condition=LIVE & OF_A_VERSION & FOR_EVERYONE,
                name="one_default_state_per_version",
                violation_error_message="The version already has a default state.",
            ),
            models.CheckConstraint(
                condition=Q(identity__isnull=True) | Q(environment_feature_version__isnull=True),
                name="identity_override_not_versioned",
            ),
            models.CheckConstraint(
                condition=Q(feature_segment__isnull=True) | Q(identity__isnull=True),
                name="state_for_one_thing",
            ),
            models.CheckConstraint(condition=TYPED_VALUE, name="state_value_typed"),
        ]
        triggers = [
            *publishes(
                "SELECT 0 AS project_id, changed.environment_id FROM {changed} "
                "WHERE changed.is_live AND changed.deleted_at IS NULL",
                [
                    "id",
                    "uuid",
                    "feature_id",
                    "environment_id",
                    "feature_segment_id",
                    "identity_id",
                    "enabled",
                    "type",
                    "string_value",
                    "integer_value",
                    "boolean_value",
                    "hash_seed",
                    "is_live",
                    "deleted_at",
                ],
            ),
            *remembers(name=_FEATURE, environment="changed.environment_id", ignored=["updated_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.feature} in {self.environment}"

    @property
    def seed(self) -> int:
        """What variants are drawn with: the id of the first state of this lineage."""
        return self.hash_seed or self.pk


class MultivariateFeatureStateValue(models.Model):
    """A variant's share in one feature state, in percent.

    The order of the ids is the order of the bands that identities fall into, so whatever copies a
    state makes the rows in the old order.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    feature_state = models.ForeignKey(
        FeatureState, on_delete=models.CASCADE, related_name="multivariate_feature_state_values"
    )
    multivariate_feature_option = models.ForeignKey(
        MultivariateOption, on_delete=models.CASCADE, related_name="allocations"
    )
    percentage_allocation = models.FloatField(
        default=100, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["feature_state", "multivariate_feature_option"],
                name="one_allocation_per_option",
                violation_error_message="A variant has one share in a feature state.",
            ),
            models.CheckConstraint(
                condition=Q(percentage_allocation__range=(0, 100)),
                name="allocation_in_range",
                violation_error_message="Invalid percentage allocation",
            ),
        ]
        triggers = [
            *publishes(
                "SELECT 0 AS project_id, state.environment_id "
                "FROM {changed} JOIN features_featurestate AS state "
                "ON state.id = changed.feature_state_id AND state.is_live AND state.deleted_at IS NULL",
                ["id", "uuid", "feature_state_id", "multivariate_feature_option_id", "percentage_allocation"],
            ),
            *remembers(
                name="""(
                    SELECT feature.name FROM features_feature AS feature
                    JOIN features_featurestate AS state ON state.feature_id = feature.id
                    WHERE state.id = changed.feature_state_id
                )""",
                environment="""(
                    SELECT environment_id FROM features_featurestate WHERE id = changed.feature_state_id
                )""",
            ),
            # At commit, so that weights can be swapped. Millionths aside: floats rarely sum to 100 exactly.
            pgtrigger.Trigger(
                name="within_100_percent",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                func="""
                IF (
                    SELECT sum(percentage_allocation) FROM features_multivariatefeaturestatevalue
                    WHERE feature_state_id = NEW.feature_state_id
                ) > 100.000001 THEN
                    RAISE EXCEPTION 'Multivariate percentage values exceed 100%%.'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'allocations_within_100_percent';
                END IF;
                RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percentage_allocation}% {self.multivariate_feature_option}"
