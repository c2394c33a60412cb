"""Feature segments: which segments a feature has overrides for in an environment, and in what order."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from audit.services import Author
from core.errors import InvalidInput
from environments.models import Environment
from features.models import Feature, FeatureSegment
from features.services import records
from features.services.change_sets import Change, Operation, apply_change_set, check_segment_fits
from features.services.priorities import make_room, reorder
from segments.models import Segment


@transaction.atomic
def bind_segment(*, feature_id: int, segment_id: int, environment: Environment) -> FeatureSegment:
    """Give a feature a place for an override for a segment, after the others. Its state comes apart.

    Raises:
        InvalidInput: feature or segment are of another project, or there is an override already.
    """
    feature = _locked(feature_id, environment)
    if feature is None:
        raise InvalidInput({"feature": ["Feature does not exist in project"]})
    segments: QuerySet[Segment] = Segment.objects.filter(pk=segment_id, project_id=environment.project_id)
    segment = segments.select_for_update(no_key=True).first()
    if segment is None:
        raise InvalidInput({"segment": ["Segment does not exist in project."]})
    check_segment_fits(segment, feature_id)
    bindings = FeatureSegment.objects.filter(feature=feature, environment=environment, is_live=True)
    if bindings.filter(segment=segment).exists():
        raise InvalidInput({"non_field_errors": ["The feature already has an override for this segment."]})
    priority = make_room(feature_id, environment.pk, None)
    binding = FeatureSegment(feature=feature, segment=segment, environment=environment, priority=priority)
    binding.save()
    return binding


def remove_segment_override(override: FeatureSegment, *, author: Author) -> None:
    """Take back an override for a segment, with its state; those after it move up."""
    removal = Change(
        feature_id=override.feature_id,
        environment_id=override.environment_id,
        segment_id=override.segment_id,
        operation=Operation.REMOVE,
    )
    apply_change_set([removal], author=author)


@transaction.atomic
def reorder_segment_overrides(
    feature: Feature, environment: Environment, priorities: Mapping[int, int], *, author: Author
) -> list[FeatureSegment]:
    """Give overrides new priorities, by the ids of their feature segments.

    Returns:
        Those that were named, in their new order.

    Raises:
        InvalidInput: two are to have one priority, or one of them is gone.
    """
    _locked(feature.pk, environment)
    overrides = list(
        FeatureSegment.objects.filter(feature=feature, environment=environment, is_live=True).select_related(
            "segment"
        )
    )
    if not priorities.keys() <= {override.pk for override in overrides}:
        raise InvalidInput({"non_field_errors": ["Some of the provided ids were not found."]})
    if reorder(overrides, priorities):
        records.segment_overrides_reordered(feature, environment, author=author)
    named = [override for override in overrides if override.pk in priorities]
    return sorted(named, key=lambda override: override.priority)


def _locked(feature_id: int, environment: Environment) -> Feature | None:
    """Return the feature, if it is of the environment's project, with the lock that orders its changes."""
    features: QuerySet[Feature] = Feature.objects.filter(pk=feature_id, project_id=environment.project_id)
    return features.select_for_update(no_key=True).first()
