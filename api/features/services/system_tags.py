"""Tags that the server itself puts on features, and takes off again."""

from collections.abc import Iterable

from django.db import transaction

from audit.services import writing_together
from features.models import Feature
from features.services import records
from projects.models import Project, Tag, TagType
from projects.services import system_tag

_Tagged = Feature.tags.through


@transaction.atomic
def tag_exactly(project: Project, type_: TagType, wanted: Iterable[int]) -> tuple[int, int]:
    """Put the system tag of a type on the features that `wanted` names, by their ids, and on no others.

    Returns:
        How many features got it, and how many lost it.
    """
    # One after the other, so that each knows what there is to change.
    locked = Project.objects.select_for_update(of=("self",), no_key=True).filter(pk=project.pk)
    if locked.first() is None:  # deleted meanwhile
        return 0, 0
    wanted = set(wanted)
    tag = Tag.objects.filter(project=project, type=type_, is_system_tag=True).first()
    tagged = set() if tag is None else set(_Tagged.objects.filter(tag=tag).values_list("feature", flat=True))
    if wanted == tagged:
        return 0, 0
    tag = tag or system_tag(project, type_)
    with writing_together():
        return _put(tag, wanted - tagged), _take(tag, tagged - wanted)


def _put(tag: Tag, feature_ids: Iterable[int]) -> int:
    features = _features(feature_ids)
    _Tagged.objects.bulk_create(
        [_Tagged(feature=feature, tag=tag) for feature in features], ignore_conflicts=True
    )
    for feature in features:
        before = {each.pk for each in feature.tags.all()}
        _record(feature, before, before | {tag.pk})
    return len(features)


def _take(tag: Tag, feature_ids: Iterable[int]) -> int:
    features = _features(feature_ids)
    _Tagged.objects.filter(tag=tag, feature__in=features).delete()
    for feature in features:
        before = {each.pk for each in feature.tags.all()}
        _record(feature, before, before - {tag.pk})
    return len(features)


def _features(ids: Iterable[int]) -> list[Feature]:
    """Return features with their project and their tags as they are now; deleted ones aside."""
    found = Feature.objects.filter(pk__in=set(ids)).select_related("project").prefetch_related("tags")
    features = list(found.order_by("pk"))
    for feature in features:
        feature.tags.all()  # read before anything changes
    return features


def _record(feature: Feature, old: set[int], new: set[int]) -> None:
    change = records.change("tags", sorted(old), sorted(new))
    records.feature_updated(feature, author=None, changes=[change])
