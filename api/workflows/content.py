"""What a request changes, as JSON: change sets that name rows by their ids, and what there was before.

    {"steps": [[{"operation": "update", "segment": 17, "enabled": true, "value": "blue",
                 "allocations": [[3, 25.0]], "priority": 0}]]}

Steps are done one after the other. Properties that aren't there stay as they are.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from features.models import EnvironmentFeatureVersion, FeatureState
from features.selectors.versions import states_of
from features.services.allocations import Allocation
from features.services.change_sets import UNCHANGED, Change, Operation
from segments.models import Segment
from segments.rules import WantedCondition, WantedRule
from segments.services import described, state_of, stored_rules
from workflows.models import ChangeKind, RequestedChange

# What no client is shown of a change: only services say it.
_UNSEEN = {"others_make_way", "puts_bands_in_order", "seed"}
# What a state is for, as a key of JSON: this, or a segment's id.
EVERYONE = "everyone"

# What there is by target: `{"everyone": {"enabled": …, "value": …, "allocations": …}, "17": null}`
Targets = dict[str, Any]
# What features serve, by feature and target.
Served = dict[int, Targets]


@dataclass(frozen=True)
class WantedChange:
    """One thing that somebody wants changed.

    Attributes:
        properties: of a segment, as `segments.services.state_of` has them, without its custom fields.
        shown: what is kept only to be shown again as it was sent.
    """

    kind: ChangeKind
    feature_id: int | None = None
    segment_id: int | None = None
    version_id: UUID | None = None
    steps: tuple[tuple[Change, ...], ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)
    live_from: datetime | None = None

    @property
    def content(self) -> dict[str, Any]:
        if self.kind is ChangeKind.SEGMENT:
            return dict(self.properties)
        steps = [[_as_json(change) for change in step] for step in self.steps if step]
        return {"steps": steps, **self.shown}


def steps_of(requested: RequestedChange, environment_id: int) -> list[list[Change]]:
    """Return the change sets that a request keeps."""
    return [
        [_change(kept, requested.feature_id or 0, environment_id) for kept in step]
        for step in requested.content.get("steps", [])
    ]


def _as_json(change: Change) -> dict[str, Any]:
    kept: dict[str, Any] = {"operation": change.operation.value, "segment": change.segment_id}
    if change.priority is not None:
        kept["priority"] = change.priority
    if not change.others_make_way:
        kept["others_make_way"] = False
    if change.puts_bands_in_order:
        kept["puts_bands_in_order"] = True
    if change.seed is not None:
        kept["seed"] = change.seed
    if change.enabled is not UNCHANGED:
        kept["enabled"] = change.enabled
    if change.value is not UNCHANGED:
        kept["value"] = change.value
    if change.allocations is not UNCHANGED:
        kept["allocations"] = [[each.option_id, each.percentage] for each in change.allocations]
    return kept


def _change(kept: Mapping[str, Any], feature_id: int, environment_id: int) -> Change:
    allocations: Any = UNCHANGED
    if "allocations" in kept:
        allocations = tuple(Allocation(option_id, share) for option_id, share in kept["allocations"])
    return Change(
        feature_id,
        environment_id,
        segment_id=kept["segment"],
        operation=Operation(kept["operation"]),
        enabled=kept.get("enabled", UNCHANGED),
        value=kept.get("value", UNCHANGED),
        allocations=allocations,
        priority=kept.get("priority"),
        others_make_way=kept.get("others_make_way", True),
        puts_bands_in_order=kept.get("puts_bands_in_order", False),
        seed=kept.get("seed"),
    )


def listed(content: Mapping[str, Any], operation: Operation) -> list[dict[str, Any]]:
    """Return of what a change set does what is of one kind, in its order."""
    return [kept for step in content["steps"] for kept in step if kept["operation"] == operation.value]


def as_listed(kind: str, content: Mapping[str, Any]) -> Any:
    """Return what of a content is shown, and so comes back from clients that change nothing.

    Of a version that is its draft: what others do meanwhile to what is served says nothing of it.
    """
    if kind == ChangeKind.VERSION:
        return content["draft"]
    if kind != ChangeKind.CHANGE_SET:
        return content
    return [
        {name: value for name, value in kept.items() if name not in _UNSEEN}
        for operation in (Operation.CREATE, Operation.UPDATE)
        for kept in listed(content, operation)
    ] + sorted(kept["segment"] for kept in listed(content, Operation.REMOVE))


def targets_of(requested: RequestedChange) -> list[str]:
    """Return what a request changes of its feature or segment, as keys of `basis`."""
    if requested.kind == ChangeKind.SEGMENT:
        return [EVERYONE]
    if requested.kind == ChangeKind.VERSION:
        return list(requested.content["targets"])
    named = {key_of(kept["segment"]) for step in requested.content.get("steps", []) for kept in step}
    return sorted(named)


def served_in(environment_id: int, feature_ids: Collection[int]) -> Served:
    """Return what features serve in an environment to everyone and to segments. Two queries."""
    states = (
        FeatureState.objects.filter(
            environment=environment_id, feature__in=feature_ids, identity__isnull=True
        )
        .select_related("feature_segment")
        .prefetch_related("multivariate_feature_state_values")
        .order_by("pk")
    )
    served: Served = {feature_id: {} for feature_id in feature_ids}
    for state in states:
        served[state.feature_id][_target_of(state)] = described_state(state)
    return served


def basis_of(requested: RequestedChange, served: Served) -> Targets:
    """Return what there is now of what a request changes. What isn't there is null."""
    if requested.segment is not None:
        return {EVERYONE: segment_content(requested.segment)}
    there = served.get(requested.feature_id or 0, {})
    return {target: there.get(target) for target in targets_of(requested)}


def described_state(state: FeatureState) -> dict[str, Any]:
    """Return what of a state counts, when it is to be told whether anybody changed it."""
    return {
        "enabled": state.enabled,
        "value": state.value,
        "allocations": [
            [each.multivariate_feature_option_id, each.percentage_allocation]
            for each in state.multivariate_feature_state_values.all()
        ],
    }


def drafted(version: EnvironmentFeatureVersion) -> Targets:
    """Return what a version serves, published or not: what is approved is this, and not what it becomes."""
    return {_target_of(state): described_state(state) for state in states_of([version])}


def changed_targets(version: EnvironmentFeatureVersion, served: Targets) -> list[str]:
    """Return of what a version has something else than what is served."""
    wanted = drafted(version)
    return sorted(key for key in wanted.keys() | served.keys() if not same(wanted.get(key), served.get(key)))


def segment_content(segment: Segment) -> dict[str, Any]:
    """Return what a request can change of a segment: all but its custom fields."""
    return {key: value for key, value in state_of(segment).items() if key != "metadata"}


def segment_properties(rules: Sequence[WantedRule] | None, segment: Segment, given: Mapping[str, Any]) -> Any:
    """Return what a segment is to become: what isn't given stays."""
    return {
        "name": given.get("name", segment.name),
        "description": given.get("description", segment.description),
        "feature": given.get("feature_id", segment.feature_id),
        "rules": described(stored_rules(segment) if rules is None else rules),
    }


def rules_from(kept: Iterable[Mapping[str, Any]]) -> tuple[WantedRule, ...]:
    """Return rules that were kept as JSON, in the form that services take."""
    return tuple(
        WantedRule(
            rule["type"],
            tuple(WantedCondition(**condition) for condition in rule["conditions"]),
            rules_from(rule["rules"]),
        )
        for rule in kept
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are the same: `1` is neither `"1"` nor `true`, `25` is `25.0`."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def segment_id_of(target: str) -> int | None:
    return None if target == EVERYONE else int(target)


def _target_of(state: FeatureState) -> str:
    return key_of(state.feature_segment.segment_id if state.feature_segment else None)


def key_of(segment_id: int | None) -> str:
    return EVERYONE if segment_id is None else str(segment_id)
