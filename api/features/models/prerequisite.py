"""Prerequisites: what a feature needs of another one, in one environment."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from core.history import remembers
from core.publishing import publishes
from environments.models import Environment
from features.models.feature import Feature

# Whoever changes an environment's prerequisites holds this advisory lock until the transaction ends: of two
# that would close a circle together, the second sees what the first has done.
LOCK_CLASS = 1_886_545_265

_FORM_NO_CIRCLE = f"""
PERFORM pg_advisory_xact_lock({LOCK_CLASS}, NEW.environment_id);
IF EXISTS (
    WITH RECURSIVE needed AS (
        SELECT NEW.required_feature_id AS feature_id
        UNION
        SELECT prerequisite.required_feature_id
        FROM features_prerequisite AS prerequisite
        JOIN needed ON needed.feature_id = prerequisite.feature_id
        WHERE prerequisite.environment_id = NEW.environment_id
    )
    SELECT FROM needed WHERE needed.feature_id = NEW.feature_id
) THEN
    RAISE EXCEPTION 'Prerequisites must not form a circle.'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'prerequisites_form_no_circle';
END IF;
RETURN NULL;
"""  # noqa: S608


class Prerequisite(models.Model):
    """In one environment, `feature` is on only where `required_feature` is as it says here.

    `enabled` is how that has to be switched. One that has to be on may also have to have a value, compared
    as text like a segment's condition EQUAL does it, or a variant.
    """

    changes_with = "feature"

    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="prerequisites")
    environment = models.ForeignKey(
        Environment,
        on_delete=models.CASCADE,
        db_index=False,  # the unique constraint begins with it
        related_name="prerequisites",
    )
    required_feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="needed_by")
    enabled = models.BooleanField(
        default=True, help_text="Whether the required feature has to be on, or off."
    )
    value = models.TextField(null=True, blank=True, help_text="The value that it has to have. Null: any.")
    variant = models.CharField(
        max_length=255,
        null=True,
        blank=True,
        help_text="The key of the variant that has to be drawn, or `control`. Null: any.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "feature", "required_feature"],
                name="prerequisite_once",
                violation_error_message="The feature has this prerequisite already.",
            ),
            models.CheckConstraint(
                condition=~Q(feature=F("required_feature")),
                name="prerequisite_of_another",
                violation_error_message="A feature can't be its own prerequisite.",
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=True, variant__isnull=True)
                | Q(enabled=True, value__isnull=True)
                | Q(enabled=True, variant__isnull=True),
                name="prerequisite_makes_sense",
                violation_error_message=(
                    "A prerequisite names a value or a variant, not both, and neither where it has to be off."
                ),
            ),
        ]
        triggers = [
            *publishes(
                "SELECT 0 AS project_id, changed.environment_id FROM {changed}",
                ["id", "feature_id", "environment_id", "required_feature_id", "enabled", "value", "variant"],
            ),
            pgtrigger.Trigger(
                name="form_no_circle",
                when=pgtrigger.After,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("feature_id", "environment_id", "required_feature_id"),
                func=_FORM_NO_CIRCLE,
            ),
            *remembers(
                name="(SELECT name FROM features_feature WHERE id = changed.feature_id)",
                environment="changed.environment_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.feature} needs {self.required_feature}"
