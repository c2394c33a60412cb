"""Feature segments: which segments a feature has overrides for in an environment, and in what order."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from audit.services import Author
from core.errors import InvalidInput
from environments.models import Environment
from features.exceptions import VersionedEnvironmentError
from features.models import EnvironmentFeatureVersion, Feature, FeatureSegment
from features.services import records
from features.services.approval import check_approval
from features.services.change_sets import Change, Operation, apply_where_it_is, check_segment_fits
from features.services.priorities import make_room, reorder
from segments.models import Segment


@transaction.atomic
def bind_segment(
    *, feature_id: int, segment_id: int, environment: Environment, author: Author
) -> FeatureSegment:
    """Give a feature a place for an override for a segment, after the others. Its state comes apart.

    Raises:
        InvalidInput: feature or segment are of another project, or there is an override already.
        VersionedEnvironmentError: the environment keeps versions, which get overrides with their states.
    """
    feature = _locked(feature_id, environment)
    if feature is None:
        raise InvalidInput({"feature": ["Feature does not exist in project"]})
    check_approval([environment], [feature], author=author)
    segments: QuerySet[Segment] = Segment.objects.filter(pk=segment_id, project_id=environment.project_id)
    segment = segments.select_for_update(no_key=True).first()
    if segment is None:
        raise InvalidInput({"segment": ["Segment does not exist in project."]})
    check_segment_fits(segment, feature_id)
    if Environment.objects.filter(pk=environment.pk, use_v2_feature_versioning=True).exists():
        raise VersionedEnvironmentError
    bindings = FeatureSegment.objects.filter(feature=feature, environment=environment)
    if bindings.filter(segment=segment).exists():
        raise InvalidInput({"non_field_errors": ["The feature already has an override for this segment."]})
    binding = FeatureSegment(feature=feature, segment=segment, environment=environment)
    binding.priority = make_room(binding, None)
    binding.save()
    return binding


def remove_segment_override(override: FeatureSegment, *, author: Author) -> None:
    """Take back an override for a segment, with its state; those after it move up.

    Raises:
        PublishedVersionError: it is of a version that isn't served any more, or not yet.
    """
    removal = Change(
        feature_id=override.feature_id,
        environment_id=override.environment_id,
        segment_id=override.segment_id,
        operation=Operation.REMOVE,
    )
    apply_where_it_is(override, removal, author=author)


@transaction.atomic
def reorder_segment_overrides(
    feature: Feature,
    environment: Environment,
    priorities: Mapping[int, int],
    *,
    version: EnvironmentFeatureVersion | None = None,
    author: Author,
) -> list[FeatureSegment]:
    """Give overrides new priorities, by the ids of their feature segments.

    Args:
        version: the draft that they are of; None for those that are served.

    Returns:
        Those that were named, in their new order.

    Raises:
        InvalidInput: two are to have one priority, or one of them is gone.
        VersionedEnvironmentError: they are of a version that is published, and so are as they are.
    """
    _locked(feature.pk, environment)
    if version is None:
        check_approval([environment], [feature], author=author)
        beside = FeatureSegment.objects.filter(feature=feature, environment=environment)
    else:
        beside = FeatureSegment.all_objects.undeleted().filter(environment_feature_version=version)
    overrides = list(
        beside.select_related("segment", "feature__project", "environment", "environment_feature_version")
    )
    if not priorities.keys() <= {override.pk for override in overrides}:
        raise InvalidInput({"non_field_errors": ["Some of the provided ids were not found."]})
    if any(
        override.environment_feature_version and override.environment_feature_version.published
        for override in overrides
    ):
        raise VersionedEnvironmentError
    if reorder(overrides, priorities):
        records.segment_overrides_reordered(overrides[0], author=author)
    named = [override for override in overrides if override.pk in priorities]
    return sorted(named, key=lambda override: override.priority)


def _locked(feature_id: int, environment: Environment) -> Feature | None:
    """Return the feature, if it is of the environment's project, with the lock that orders its changes."""
    features: QuerySet[Feature] = Feature.objects.filter(pk=feature_id, project_id=environment.project_id)
    return features.select_for_update(no_key=True).first()
