"""Versions that are made with what is to be different of them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from audit.services import Author
from environments.models import Environment
from features.exceptions import VersionConflictError
from features.models import EnvironmentFeatureVersion, Feature, FeatureSegment
from features.services.change_sets import Change, Operation, apply_to_version
from features.services.versions import create_draft, publish_version
from segments.models import Segment


@transaction.atomic
def create_version(
    environment: Environment,
    feature: Feature,
    *,
    author: Author,
    changes: Sequence[Sequence[Change]] = (),
    description: str | None = None,
    live_from: datetime | None = None,
    publish: bool = False,
) -> EnvironmentFeatureVersion:
    """Make a version of what is served now, with these changes, each list of them after the one before.

    Overrides that are to be taken away and aren't there are left out.

    Raises:
        UnversionedEnvironmentError: the environment keeps no versions.
        VersionConflictError: an override is to be made that is there, or changed that isn't.
        InvalidInput: the changes don't fit in another way.
    """
    version = create_draft(environment, feature, author=author, description=description, live_from=live_from)
    for step in changes:
        fitting = _fitting(version, step)
        if fitting:
            apply_to_version(version, fitting, author=author)
    return publish_version(version, author=author) if publish else version


def _fitting(version: EnvironmentFeatureVersion, changes: Sequence[Change]) -> list[Change]:
    places = FeatureSegment.all_objects.undeleted().filter(
        environment_feature_version=version, feature_states__deleted_at__isnull=True
    )
    overridden = set(places.values_list("segment", flat=True)) | {None}
    for change in changes:
        is_there = change.segment_id in overridden
        if change.operation is Operation.CREATE and is_there:
            raise VersionConflictError(
                "An unresolvable conflict occurred: segment override already exists for segment "
                f"'{_name(change.segment_id, version)}'"
            )
        if change.operation is Operation.UPDATE and not is_there:
            raise VersionConflictError(
                "An unresolvable conflict occurred: segment override does not exist for segment "
                f"'{_name(change.segment_id, version)}'."
            )
    return [
        change
        for change in changes
        if change.operation is not Operation.REMOVE or change.segment_id in overridden
    ]


def _name(segment_id: int | None, version: EnvironmentFeatureVersion) -> str:
    """Return a segment's name; the id of one that isn't the project's."""
    segments = Segment.objects.filter(pk=segment_id, project=version.feature.project_id)
    return segments.values_list("name", flat=True).first() or str(segment_id)
