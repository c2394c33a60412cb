"""What was served before some changes and after them, worked out from the history.

The history has of each row what every change has made of it. So a row that is here now is followed back,
change by change, to where it was. A row that is gone begins with its deletion, which noted all of it.

Rows of versions come and go by `is_live`, and rows are made anew by each version: so what is compared is
never rows, but what they say of the same thing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from audit.models import RowChange
from features.models import FeatureSegment, FeatureState, MultivariateFeatureStateValue
from features.models.values import FlagValue, ValueType
from features.services.allocations import Allocation
from features.services.places import Target
from releases.contents import Content

Row = dict[str, Any]

STATES, PLACES, SHARES = (
    model._meta.db_table for model in (FeatureState, FeatureSegment, MultivariateFeatureStateValue)
)
TABLES = (STATES, PLACES, SHARES)
_MODELS: dict[str, type[Model]] = {
    STATES: FeatureState,
    PLACES: FeatureSegment,
    SHARES: MultivariateFeatureStateValue,
}
_COLUMNS = {
    STATES: (
        "id",
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
    ),
    PLACES: ("id", "feature_id", "environment_id", "segment_id", "priority", "is_live", "deleted_at"),
    SHARES: ("id", "feature_state_id", "multivariate_feature_option_id", "percentage_allocation"),
}


@dataclass
class _Moment:
    """Rows as they were, by table and id. What wasn't there has none."""

    rows: dict[str, dict[int, Row]] = field(default_factory=lambda: {table: {} for table in TABLES})

    def contents(self) -> dict[Target, Content]:
        shares = defaultdict(list)
        for row in self.rows[SHARES].values():
            shares[row["feature_state_id"]].append(row)
        found = {}
        for state in self.rows[STATES].values():
            place = self.rows[PLACES].get(state["feature_segment_id"] or 0)
            if not _is_served(state) or (state["feature_segment_id"] and not _is_served(place)):
                continue
            target = (
                state["environment_id"],
                state["feature_id"],
                place["segment_id"] if place else None,
                state["identity_id"],
            )
            found[target] = Content(
                state["enabled"],
                _value(state),
                tuple(
                    Allocation(each["multivariate_feature_option_id"], each["percentage_allocation"])
                    for each in sorted(shares[state["id"]], key=lambda each: int(each["id"]))
                ),
                place["priority"] if place else None,
                state["hash_seed"] or state["id"],
            )
        return found


def contents_around(changes: Sequence[RowChange]) -> tuple[dict[Target, Content], dict[Target, Content]]:
    """Return what was served before the first of some changes, and after the last of them.

    Of what they touched, and of the overrides beside it. A dozen queries, however many changes.

    Args:
        changes: of `TABLES`, in the order of their ids; of a feature all that there are between the first and
            the last, as those of one transaction are, or of consecutive ones.
    """
    if not changes:
        return {}, {}
    past = _Past(changes)
    past.follow(SHARES, past.touched(SHARES))
    past.follow(PLACES, past.touched(PLACES))
    past.follow(PLACES, _ids(FeatureSegment.objects.filter(**past.places_beside())))
    past.follow(STATES, past.touched(STATES) | past.named(SHARES, "feature_state_id"))
    past.follow(STATES, _ids(FeatureState.all_objects.filter(feature_segment__in=past.known(PLACES))))
    past.follow(PLACES, past.named(STATES, "feature_segment_id"))
    of_states = MultivariateFeatureStateValue.objects.filter(feature_state__in=past.known(STATES))
    past.follow(SHARES, _ids(of_states))
    return past.before.contents(), past.after.contents()


def features_of(changes: Iterable[RowChange]) -> set[int]:
    """Return the features whose states some changes are of, as far as anything knows of them."""
    rows: dict[str, set[int]] = {table: set() for table in TABLES}
    sides: list[Row] = []
    for change in changes:
        rows[change.table_name].add(int(change.object_id))
        sides += [side for side in (change.before, change.after) if side]
    features = {side["feature_id"] for side in sides if "feature_id" in side}
    states = {side["feature_state_id"] for side in sides if "feature_state_id" in side}
    shares = MultivariateFeatureStateValue.objects.filter(pk__in=rows[SHARES])
    states |= set(shares.values_list("feature_state", flat=True)) | rows[STATES]
    of_states = FeatureState.all_objects.filter(pk__in=states)
    of_places = FeatureSegment.all_objects.filter(pk__in=rows[PLACES])
    for found in (of_states, of_places):
        features |= set(found.values_list("feature", flat=True))
    return features


class _Past:
    """Follows rows back to both moments."""

    def __init__(self, changes: Sequence[RowChange]) -> None:
        self.before, self.after = _Moment(), _Moment()
        self._first, self._last = changes[0].pk, changes[-1].pk
        self._spans: dict[tuple[str, int], tuple[int, int]] = {}
        for change in changes:
            row = (change.table_name, int(change.object_id))
            first, _ = self._spans.get(row, (change.pk, 0))
            self._spans[row] = (first, change.pk)
        self._known: dict[str, set[int]] = {table: set() for table in TABLES}

    def touched(self, table: str) -> set[int]:
        return {pk for name, pk in self._spans if name == table}

    def known(self, table: str) -> set[int]:
        return self._known[table]

    def named(self, table: str, column: str) -> set[int]:
        """Return what the rows that are known refer to."""
        rows = [*self.before.rows[table].values(), *self.after.rows[table].values()]
        return {row[column] for row in rows if row[column] is not None}

    def places_beside(self) -> dict[str, Collection[int]]:
        """Match the overrides of the features whose overrides were touched."""
        rows = [*self.before.rows[PLACES].values(), *self.after.rows[PLACES].values()]
        return {
            "environment__in": {row["environment_id"] for row in rows},
            "feature__in": {row["feature_id"] for row in rows},
        }

    def follow(self, table: str, ids: Collection[int]) -> None:
        """Find out what rows were at both moments."""
        new = set(ids) - self._known[table]
        if not new:
            return
        self._known[table] |= new
        now = _MODELS[table]._base_manager.filter(pk__in=new).values(*_COLUMNS[table])
        rows: dict[int, Row] = {row["id"]: row for row in now}
        history = defaultdict(list)
        for change in RowChange.objects.filter(
            table_name=table, object_id__in=[str(pk) for pk in new], pk__gte=self._first
        ).order_by("-pk"):
            history[int(change.object_id)].append(change)
        for pk in new:
            first, last = self._spans.get((table, pk), (self._first, self._last))
            later = [change for change in history[pk] if change.pk > last]
            row = _undone(rows.get(pk), later)
            if row is not None:
                self.after.rows[table][pk] = row
            row = _undone(row, [change for change in history[pk] if first <= change.pk <= last])
            if row is not None:
                self.before.rows[table][pk] = row


def _undone(row: Row | None, changes: Iterable[RowChange]) -> Row | None:
    """Return what a row was before these changes of it, the last one first."""
    for change in changes:
        if change.operation == "INSERT":
            row = None
        elif change.operation == "UPDATE":
            row = {**(row or {}), **(change.before or {})}
        else:
            row = dict(change.before or {})
    return row


def _ids(rows: Any) -> set[int]:
    return set(rows.values_list("pk", flat=True))


def _is_served(row: Row | None) -> bool:
    # The history of long ago doesn't know the column: everything was.
    return row is not None and row["deleted_at"] is None and row.get("is_live", True)


def _value(state: Row) -> FlagValue:
    value: FlagValue = {
        ValueType.STRING: state["string_value"],
        ValueType.INTEGER: state["integer_value"],
        ValueType.BOOLEAN: state["boolean_value"],
    }[state["type"]]
    return value
