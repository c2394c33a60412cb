"""Where features are in their lives: docs/life-of-a-flag.md says it in words.

Whether a feature is evaluated is counted by `analytics`, which stands above: its table is named here and not
imported.
"""

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from core.digests import Digest
from environments.models import Environment
from features.models import (
    CodeRepository,
    CodeSighting,
    EnvironmentFeatureVersion,
    Feature,
    FeatureState,
)
from features.selectors.code import IN_CODE
from projects.models import Project, Tag

# Making or copying an environment gives it states, which changes none of its features.
_SETTING_UP = timedelta(minutes=1)


class Stage(models.TextChoices):
    NEW = "new"
    LIVE = "live"
    STALE = "stale"
    PERMANENT = "permanent"
    NEEDS_MONITORING = "needs_monitoring"
    TO_REMOVE = "to_remove"


def stage_in(environment: Environment) -> Case:
    """Return the expression for the stage of features, as they are used in an environment."""
    began = _began(environment.project)
    is_in_code = Exists(CodeSighting.objects.filter(IN_CODE, feature=OuterRef("pk")).order_by())
    is_code_scanned = Exists(CodeRepository.objects.filter(project=environment.project_id).order_by())
    is_evaluated = _is_evaluated(environment, since=began)
    is_young = Q(created_date__gte=began)
    return Case(
        When(IS_PERMANENT, then=Value(Stage.PERMANENT)),
        When(is_young & ~Q(is_in_code) & ~Q(is_evaluated), then=Value(Stage.NEW)),
        When(is_young | _is_changed(since=began), then=Value(Stage.LIVE)),
        When(~Q(is_code_scanned) | Q(is_in_code), then=Value(Stage.STALE)),
        When(is_evaluated, then=Value(Stage.NEEDS_MONITORING)),
        default=Value(Stage.TO_REMOVE),
        output_field=models.CharField(),
    )


def numbers_by_stage(environment: Environment) -> dict[str, int]:
    """Return how many features are in each stage, archived ones aside. One query."""
    features = Feature.objects.filter(project=environment.project_id, is_archived=False).order_by()
    counted = features.annotate(stage=stage_in(environment)).values("stage").annotate(number=Count("pk"))
    numbers = dict(counted.values_list("stage", "number"))
    return {stage.value: numbers.get(stage, 0) for stage in Stage}


def unchanged_features(project: Project) -> QuerySet[Feature]:
    """Return what is stale: neither new nor changed for as long as the project says, nor permanent."""
    began = _began(project)
    features: QuerySet[Feature] = Feature.objects.filter(
        ~IS_PERMANENT,
        ~_is_changed(since=began),
        project=project,
        is_archived=False,
        created_date__lt=began,
    )
    return features


def _began(project: Project) -> datetime:
    """Return since when a feature must have been changed not to be stale."""
    return timezone.now() - timedelta(days=project.stale_flags_limit_days)


IS_PERMANENT = Q(
    Exists(
        Feature.tags.through._default_manager.filter(
            feature=OuterRef("pk"), tag__in=Tag.objects.filter(is_permanent=True).order_by()
        )
    )
)


def _is_changed(*, since: datetime) -> Q:
    """Whether anything was changed of what a feature serves, by default or to a segment, in any environment.

    One identity's override is no change of the feature.
    """
    states: QuerySet[FeatureState] = FeatureState.all_objects.filter(
        feature=OuterRef("pk"), is_live=True, identity__isnull=True, environment__deleted_at__isnull=True
    )
    changed = states.alias(changed_at=Greatest("updated_at", "deleted_at")).filter(
        changed_at__gte=since, changed_at__gt=F("environment__created_date") + _SETTING_UP
    )
    # What a version serves may have been written long before it went live.
    versions = EnvironmentFeatureVersion.objects.filter(
        feature=OuterRef("pk"),
        published=True,
        live_from__range=(since, timezone.now()),
        environment__deleted_at__isnull=True,
    )
    versions = versions.filter(live_from__gt=F("environment__created_date") + _SETTING_UP)
    return Q(Exists(changed.order_by())) | Q(Exists(versions.order_by()))


def _is_evaluated(environment: Environment, *, since: datetime) -> Exists:
    buckets: Any = apps.get_model("analytics", "FeatureEvaluationBucket")._default_manager
    evaluations = buckets.alias(name_digest=Digest("feature_name")).filter(
        environment_id=environment.pk, name_digest=Digest(OuterRef("name")), started_at__gte=since
    )
    return Exists(evaluations.order_by())
