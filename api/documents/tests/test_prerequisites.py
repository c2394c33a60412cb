"""Prerequisites in documents: what is off for another's sake, said so that SDKs find it out by themselves."""

import json
import os
import uuid
from itertools import count
from typing import Any

import pytest
from flag_engine.engine import get_evaluation_result
from flagsmith.mappers import map_context_and_identity_data_to_context, map_environment_document_to_context
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.builder import build
from documents.prerequisites import unmet_prerequisite
from documents.rows import EnvironmentRows
from engine.compiler import compile_context
from engine.context import environment_context, feature_contexts
from engine.evaluation import CompiledEnvironment, Evaluation
from engine.flags import Flag
from engine.subjects import Identity

# With `make walks` many more environments.
THOROUGHNESS = 20 if os.environ.get("WALKS") == "full" else 1
# Two of them are no identifiers, so their paths need brackets and quotes.
NAMES = ("payments", "checkout", "new price", 'it\'s "é" 😀', "_beta", "banner")
VALUES = ("red", "blue", 5, None)
PLANS = ("pro", "free")
OWN = "kim"
KEYS = ("a", "b")


class Rows:
    """Collects the rows of an environment: features from 1 on, and segments of who has a plan, from 1 on."""

    def __init__(self, number_of_features: int) -> None:
        self._ids = count(100)
        self.states: list[Any] = []
        self.allocations: list[Any] = []
        self.prerequisites: list[Any] = []
        self.features: list[Any] = [
            {"id": number, "name": name, "type": "STANDARD", "is_server_key_only": False}
            for number, name in enumerate(NAMES[:number_of_features], start=1)
        ]

    def state(self, feature_id: int, *, variants: bool = False, **more: Any) -> None:
        state = {
            "id": next(self._ids),
            "uuid": str(uuid.UUID(int=next(self._ids))),
            "feature_id": feature_id,
            "hash_seed": None,
            "segment_id": None,
            "priority": None,
            "identity": None,
            **more,
        }
        self.states.append(state)
        for key in KEYS if variants else ():
            option = {"id": next(self._ids), "value": f"value {key}", "key": key}
            allocation = {"feature_state_id": state["id"], "percentage_allocation": 40.0, "option": option}
            self.allocations.append({"id": next(self._ids), "uuid": str(uuid.uuid4()), **allocation})

    def needs(self, feature_id: int, required_feature_id: int, **requirement: Any) -> None:
        self.prerequisites.append(
            {
                "id": len(self.prerequisites) + 1,
                "feature_id": feature_id,
                "required_feature_id": required_feature_id,
                "enabled": True,
                "value": None,
                "variant": None,
                **requirement,
            }
        )

    def collected(self, *, with_prerequisites: bool = True) -> EnvironmentRows:
        organisation = {"id": 1, "name": "Acme", "feature_analytics": False}
        project = {"id": 3, "name": "Shop", "hide_disabled_flags": False, "enable_realtime_updates": False}
        environment: Any = {
            "id": 7,
            "api_key": "key",
            "name": "Production",
            "created_date": "2026-01-01T00:00:00+00:00",
            "allow_client_traits": True,
            "hide_sensitive_data": False,
            "hide_disabled_flags": None,
            "use_identity_composite_key_for_hashing": True,
            "use_identity_overrides_in_local_eval": True,
            "project": {
                **project,
                "organisation": {**organisation, "stop_serving_flags": False, "persist_trait_data": True},
            },
        }
        segments = list(enumerate(PLANS, start=1))
        return EnvironmentRows(
            revision=None,
            environment=environment,
            features=self.features,
            states=self.states,
            allocations=self.allocations,
            segments=[{"id": number, "name": plan, "feature_id": None} for number, plan in segments],
            rules=[
                {"id": number, "segment_id": number, "parent_id": None, "type": "ALL"}
                for number, _ in segments
            ],
            conditions=[
                {"rule_id": number, "operator": "EQUAL", "property": "plan", "value": plan}
                for number, plan in segments
            ],
            server_side_keys=[],
            fingerprints={},
            prerequisites=self.prerequisites if with_prerequisites else [],
        )


REQUIREMENTS = st.one_of(
    st.builds(lambda enabled: {"enabled": enabled}, st.booleans()),
    st.builds(lambda value: {"value": value}, st.sampled_from(("red", "5"))),
    st.builds(lambda variant: {"variant": variant}, st.sampled_from((*KEYS, "control"))),
)
STATES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"enabled": st.booleans(), "value": st.sampled_from(VALUES), "variants": st.booleans()}
)


@st.composite
def environments(draw: st.DrawFn, *, with_circles: bool = False) -> Rows:
    number = draw(st.integers(2, len(NAMES)))
    rows = Rows(number)
    for feature in range(1, number + 1):
        rows.state(feature, **draw(STATES))
        for priority, segment in enumerate(draw(st.lists(st.sampled_from((1, 2)), max_size=2, unique=True))):
            rows.state(feature, segment_id=segment, priority=priority, **draw(STATES))
        if draw(st.booleans()):
            identity = {"id": 50, "identifier": OWN, "created_date": "2026-01-01T00:00:00+00:00"}
            rows.state(feature, identity=identity, **{**draw(STATES), "variants": False})
        least = 1 if with_circles else feature + 1
        others = [other for other in range(least, number + 1) if other != feature]
        if others:
            for other in draw(st.lists(st.sampled_from(others), max_size=3, unique=True)):
                rows.needs(feature, other, **draw(REQUIREMENTS))
    return rows


IDENTITIES = [
    Identity(f"{name}{number}", {"plan": plan})
    for name in ("ada", "noor")
    for number, plan in enumerate(PLANS)
] + [Identity(OWN, {"plan": "pro"}), Identity("nobody")]


def compiled(rows: EnvironmentRows) -> CompiledEnvironment:
    return compile_context(environment_context(build(rows).document))


def evaluated(rows: EnvironmentRows, identity: Identity | None) -> Evaluation:
    own = build(rows).document["identity_overrides"] if identity and identity.identifier == OWN else []
    overrides = feature_contexts(own[0]["identity_features"]) if own else {}
    return compiled(rows).evaluate(identity, overrides)


def by_the_official_sdk(rows: EnvironmentRows, identity: Identity | None) -> dict[str, Any]:
    context: Any = map_environment_document_to_context(build(rows).document)  # type: ignore[arg-type]
    if identity is None:
        context = {key: value for key, value in context.items() if key != "segments"}
    else:
        traits: Any = dict(identity.traits)
        context = map_context_and_identity_data_to_context(context, identity.identifier, traits)
    result: Any = get_evaluation_result(context)
    return dict(result["flags"])


Shown = tuple[bool, Any, str | None]


def shown(flag: Any) -> Shown:
    if isinstance(flag, Flag):
        return flag.enabled, flag.value, flag.variant
    return flag["enabled"], flag["value"], flag["variant"]


def by_the_book(rows: Rows, identity: Identity | None) -> dict[str, Shown]:
    """Say it once more, in the simplest way: what a feature would be by itself, unless something is unmet."""
    alone = evaluated(rows.collected(with_prerequisites=False), identity).flags
    names = {feature["id"]: feature["name"] for feature in rows.features}
    is_own = {
        names[state["feature_id"]]
        for state in rows.states
        if state["identity"] and identity and identity.identifier == OWN
    }
    defaults = {
        names[state["feature_id"]]: state["value"]
        for state in rows.states
        if state["identity"] is None and state["segment_id"] is None
    }

    def serve(name: str) -> Shown:
        needs = [row for row in rows.prerequisites if names[row["feature_id"]] == name]
        if name in is_own or all(is_met(row) for row in needs):
            return shown(alone[name])
        return False, defaults[name], None

    def is_met(row: Any) -> bool:
        enabled, value, variant = serve(names[row["required_feature_id"]])
        if row["value"] is not None:
            return enabled and str(value) == row["value"]
        if row["variant"] is not None:
            return enabled and variant == row["variant"]
        return bool(enabled == row["enabled"])

    return {name: serve(name) for name in names.values()}


@settings(max_examples=60 * THOROUGHNESS, deadline=None)
@given(rows=environments())
def test_remote_and_local_evaluation_say_what_is_meant(rows: Rows):
    everything = rows.collected()
    for identity in [None, *IDENTITIES]:
        remote = evaluated(everything, identity).flags
        local = by_the_official_sdk(everything, identity)

        meant = by_the_book(rows, identity)
        assert {name: shown(flag) for name, flag in remote.items()} == meant
        # An identity's own override has no variant there: it is what SDKs make of it.
        assert {name: shown(flag) for name, flag in local.items()} == meant


@settings(max_examples=30 * THOROUGHNESS, deadline=None)
@given(rows=environments(with_circles=True))
def test_circles_that_nobody_could_make_switch_off_what_is_in_them_and_evaluation_ends(rows: Rows):
    everything = rows.collected()
    needs: dict[int, set[int]] = {}
    for row in rows.prerequisites:
        needs.setdefault(row["feature_id"], set()).add(row["required_feature_id"])

    def reaches(start: int, end: int) -> bool:
        seen: set[int] = set()
        waiting = [start]
        while waiting:
            for each in needs.get(waiting.pop(), set()) - seen:
                seen.add(each)
                waiting.append(each)
        return end in seen

    circular = {each["name"] for each in rows.features if reaches(each["id"], each["id"])}

    for identity in (None, *IDENTITIES[:2]):
        remote = evaluated(everything, identity).flags
        local = by_the_official_sdk(everything, identity)

        assert {name: shown(flag) for name, flag in remote.items()} == {
            name: shown(flag) for name, flag in local.items()
        }
        assert not any(remote[name].enabled for name in circular)


def two_features(**requirement: Any) -> Rows:
    """`payments` (1) is on for who has the plan "pro"; `checkout` (2) is on, and needs it."""
    rows = Rows(2)
    rows.state(1, enabled=False, value=None)
    rows.state(1, enabled=True, value="red", segment_id=1, priority=0)
    rows.state(2, enabled=True, value="blue", variants=True)
    rows.needs(2, 1, **requirement)
    return rows


def test_the_reason_names_the_prerequisite():
    rows = two_features().collected()

    flag = evaluated(rows, Identity("noor", {"plan": "free"})).flags["checkout"]

    assert flag.reason == "TARGETING_MATCH; segment=prerequisite not met: payments"
    assert unmet_prerequisite(flag.segment) == "payments"
    assert by_the_official_sdk(rows, Identity("noor"))["checkout"]["reason"] == flag.reason
    assert shown(flag) == (False, "blue", None)
    assert unmet_prerequisite(evaluated(rows, IDENTITIES[0]).flags["checkout"].segment) is None


def test_variants_are_drawn_as_if_nothing_was_needed():
    rows = two_features()

    with_needs, without = rows.collected(), rows.collected(with_prerequisites=False)

    for number in range(30):
        identity = Identity(f"somebody {number}", {"plan": "pro"})
        flag, alone = (evaluated(each, identity).flags["checkout"] for each in (with_needs, without))
        assert shown(flag) == shown(alone)
        assert flag.enabled


@pytest.mark.parametrize("plan", PLANS)
def test_an_engine_that_cannot_read_flags_serves_it_switched_off(plan):
    """It takes each condition on a flag for false, as it does of a trait that nobody has."""
    document: Any = build(two_features().collected()).document
    for segment in document["project"]["segments"]:
        for rule in segment["rules"]:
            for condition in rule["conditions"]:
                condition["property_"] = condition["property_"].replace("$.flags", "nobody has this")

    flags = compile_context(environment_context(document)).evaluate(Identity("ada", {"plan": plan})).flags

    assert not flags["checkout"].enabled


def test_a_prerequisite_that_is_gone_is_never_met():
    rows = two_features(enabled=False)
    rows.features = rows.features[1:]
    rows.states = [state for state in rows.states if state["feature_id"] == 2]

    flags = [evaluated(rows.collected(), each).flags["checkout"] for each in (None, *IDENTITIES)]

    assert not any(flag.enabled for flag in flags)
    assert flags[1].reason == "TARGETING_MATCH; segment=prerequisite not met: a feature that is gone"


def test_without_prerequisites_a_document_is_as_before():
    rows = two_features()
    rows.prerequisites.clear()

    document = build(rows.collected()).document

    assert [segment["id"] for segment in document["project"]["segments"]] == [1, 2]
    assert "$.flags" not in json.dumps(document)  # which would have each evaluation follow dependencies
