"""The order in which a feature's segment overrides are tried. The lowest number wins.

Callers hold the feature's lock. Numbers may collide between statements: the database looks at commit.
Each version has an order of its own.
"""

from collections.abc import Mapping

from django.db import connection
from django.db.models import F, Max, QuerySet

from core.errors import InvalidInput
from features.models import FeatureSegment


def make_room(new: FeatureSegment, priority: int | None) -> int:
    """Return the priority for a new override: the wanted one, moving others if it is taken, or the last."""
    overrides = _beside(new)
    if priority is None:
        last = overrides.aggregate(last=Max("priority"))["last"]
        return 0 if last is None else last + 1
    _push(overrides, priority)
    return priority


def move(override: FeatureSegment, priority: int, *, others_make_way: bool = True) -> bool:
    """Give an override another priority, moving those between if it is taken; say whether that is new."""
    override.refresh_from_db(fields=["priority"])  # an earlier change may have moved it
    if override.priority == priority:
        return False
    if others_make_way:
        others = _beside(override)
        _close_up(others, override.priority)
        _push(others, priority)
    override.priority = priority
    override.save(update_fields=["priority"])
    return True


def remove(override: FeatureSegment) -> None:
    """Delete an override, with its state, and move up what came after it."""
    override.refresh_from_db(fields=["priority"])  # an earlier change may have moved it
    override.delete()
    _close_up(_beside(override), override.priority)


def reorder(overrides: list[FeatureSegment], wanted: Mapping[int, int]) -> bool:
    """Give overrides the priorities in `wanted`, by id; the others keep their order around them.

    Args:
        overrides: all of one feature and environment, or of one version, in their order.

    Returns:
        Whether that changed anything.

    Raises:
        InvalidInput: two are to have one priority.
    """
    taken = set(wanted.values())
    if len(taken) < len(wanted):
        raise InvalidInput({"priority": ["Two segment overrides of a feature can't have the same priority."]})

    changed = []
    lowest_free = 0
    for override in overrides:
        priority = wanted.get(override.pk)
        if priority is None:
            priority = max(override.priority, lowest_free)
            while priority in taken:
                priority += 1
            lowest_free = priority + 1
        if priority != override.priority:
            override.priority = priority
            changed.append(override)
    FeatureSegment.all_objects.bulk_update(changed, ["priority"])
    return bool(changed)


def check_now() -> None:
    """Have the database look at once whether numbers collide, where a failing commit would be too late.

    Raises:
        IntegrityError: they do.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS segment_override_priorities IMMEDIATE;"
            "SET CONSTRAINTS segment_override_priorities DEFERRED"
        )


def _beside(override: FeatureSegment) -> QuerySet[FeatureSegment]:
    """Return the other overrides that one stands among: those of its version, or those that are served."""
    if override.environment_feature_version_id is not None:
        others = FeatureSegment.all_objects.undeleted().filter(
            environment_feature_version=override.environment_feature_version_id
        )
    else:
        others = FeatureSegment.objects.filter(
            feature=override.feature_id, environment=override.environment_id
        )
    beside: QuerySet[FeatureSegment] = others.exclude(pk=override.pk)
    return beside


def _close_up(overrides: QuerySet[FeatureSegment], priority: int) -> None:
    """Move up what comes after `priority`, where nothing stands any more."""
    overrides.filter(priority__gt=priority).update(priority=F("priority") - 1)


def _push(overrides: QuerySet[FeatureSegment], priority: int) -> None:
    """Push down what stands at `priority` and after it, if something stands there."""
    if overrides.filter(priority=priority).exists():
        overrides.filter(priority__gte=priority).update(priority=F("priority") + 1)
