"""What bodies want changed, as the services take it."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import InvalidInput
from environments.models import Environment
from features.models import EnvironmentFeatureVersion, FeatureSegment
from features.serializers.feature_states import changes_in
from features.serializers.versions import steps_in
from features.services.change_sets import Change
from projects.models import Project
from segments.models import Segment
from workflows.content import WantedChange, segment_properties
from workflows.models import ChangeKind


def wanted_in_environment(given: Mapping[str, Any], environment: Environment) -> list[WantedChange] | None:
    """Return what validated data wants changed; None where it doesn't say.

    Raises:
        InvalidInput: it names what isn't in the environment.
    """
    lists = ("feature_states", "change_sets", "environment_feature_versions")
    if all(given.get(name) is None for name in lists):
        return None
    return [
        *(_state(each, environment) for each in given.get("feature_states") or []),
        *(_change_set(each, environment) for each in given.get("change_sets") or []),
        *_versions(given.get("environment_feature_versions") or [], environment),
    ]


def wanted_segments(given: Mapping[str, Any], project: Project) -> list[WantedChange] | None:
    """Return what validated data wants changed of segments; None where it doesn't say.

    Raises:
        InvalidInput: it names what isn't in the project.
    """
    if given.get("segments") is None:
        return None
    named = {each["version_of"] for each in given["segments"]}
    segments = Segment.objects.for_people().filter(project=project).in_bulk(named)
    if len(segments) < len(named):
        raise InvalidInput({"segments": ["Segment does not exist in project."]})
    return [
        WantedChange(
            ChangeKind.SEGMENT,
            segment_id=each["version_of"],
            properties=segment_properties(each.get("rules"), segments[each["version_of"]], each),
        )
        for each in given["segments"]
    ]


def _state(given: Mapping[str, Any], environment: Environment) -> WantedChange:
    place_id = given.get("feature_segment")
    change = Change(
        given["feature"],
        environment.pk,
        segment_id=_segment_of(place_id, environment, given["feature"]) if place_id else None,
        **changes_in(given),
    )
    return WantedChange(
        ChangeKind.STATE,
        feature_id=given["feature"],
        steps=((change,),),
        shown={"feature_segment": place_id},
        live_from=given.get("live_from"),
    )


def _change_set(given: Mapping[str, Any], environment: Environment) -> WantedChange:
    steps = steps_in(given, environment_id=environment.pk, feature_id=given["feature"])
    return WantedChange(
        ChangeKind.CHANGE_SET,
        feature_id=given["feature"],
        steps=tuple(map(tuple, steps)),
        live_from=given.get("live_from"),
    )


def _versions(uuids: list[Any], environment: Environment) -> Iterator[WantedChange]:
    drafts = EnvironmentFeatureVersion.objects.filter(
        environment=environment, feature__deleted_at__isnull=True, published=False
    ).in_bulk(uuids)
    for uuid in dict.fromkeys(uuids):
        if uuid not in drafts:
            reason = "Version does not exist in environment, or is published."
            raise InvalidInput({"environment_feature_versions": [reason]})
        draft = drafts[uuid]
        yield WantedChange(
            ChangeKind.VERSION, feature_id=draft.feature_id, version_id=uuid, live_from=draft.live_from
        )


def _segment_of(feature_segment_id: int, environment: Environment, feature_id: int) -> int:
    """Return the segment of a feature segment, even of one that isn't served any more.

    Raises:
        InvalidInput
    """
    places = FeatureSegment.all_objects.filter(
        pk=feature_segment_id, environment=environment, feature=feature_id
    )
    segment_id: int | None = places.values_list("segment", flat=True).first()
    if segment_id is None:
        raise InvalidInput({"non_field_errors": ["Feature Segment does not belong to environment."]})
    return segment_id
