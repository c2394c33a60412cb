from math import nextafter

import pytest

from engine.compiler import compile_context
from engine.hashing import percentage_for
from engine.subjects import Identity
from engine.tests.factories import condition, context, feature, rule, segment

EVERYONE = rule(condition("IS_NOT_SET", trait="nobody has this"))
NOBODY = rule(condition("IS_SET", trait="nobody has this"))
USER = Identity("user")


def variant(value, weight, priority, **fields):
    return {"value": value, "weight": weight, "priority": priority, **fields}


def evaluate(*features, segments=(), identity=USER, overrides=None, **options):
    """Return the flag of `checkout`, having checked that asking for it alone gives the same."""
    compiled = compile_context(context(*features, segments=segments), **options)
    flag = compiled.evaluate(identity, overrides).flags["checkout"]
    single = compiled.evaluate_feature("checkout", identity, overrides)
    assert single is not None
    assert single.to_result() == flag.to_result()
    return flag


# Precedence --------------------------------------------------------------------------------------


def test_a_feature_serves_its_default():
    default = feature(value="blue", metadata={"id": 42})

    flag = evaluate(default)

    assert flag.to_result() == {
        "name": "checkout",
        "enabled": True,
        "value": "blue",
        "reason": "DEFAULT",
        "variant": None,
        "metadata": {"id": 42},
    }
    assert flag.feature is default
    assert flag.segment is None


def test_the_override_of_a_matching_segment_replaces_the_default():
    override = feature(value="green", enabled=False, key="2")
    pro_users = segment(EVERYONE, name="pro_users", overrides=[override])

    flag = evaluate(feature(metadata={"id": 42}), segments=[pro_users])

    assert (flag.enabled, flag.value, flag.reason) == (False, "green", "TARGETING_MATCH; segment=pro_users")
    assert flag.feature is override
    assert flag.segment is pro_users
    assert "metadata" not in flag.to_result()


def test_the_override_of_another_segment_changes_nothing():
    flag = evaluate(feature(), segments=[segment(NOBODY, overrides=[feature(value="green")])])

    assert (flag.value, flag.reason) == ("default", "DEFAULT")


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ({"priority": 1}, {"priority": 0}, "second"),
        ({"priority": 0}, {"priority": 1}, "first"),
        ({"priority": 0}, {"priority": 0}, "first"),
        ({}, {"priority": 100}, "second"),
        ({"priority": None}, {"priority": 100}, "second"),
        ({"priority": "?"}, {"priority": 100}, "second"),
        ({"priority": float("nan")}, {"priority": 100}, "second"),
        ({}, {}, "first"),
        ({"priority": 5}, {"priority": float("-inf")}, "second"),
    ],
)
def test_the_lowest_priority_wins_and_the_first_among_equals(first, second, winner):
    segments = [
        segment(EVERYONE, key="1", overrides=[feature(value="first", **first)]),
        segment(EVERYONE, key="2", overrides=[feature(value="second", **second)]),
    ]

    assert evaluate(feature(), segments=segments).value == winner


def test_an_override_that_is_best_but_does_not_match_leaves_the_next_one():
    segments = [
        segment(NOBODY, key="1", overrides=[feature(value="first", priority=0)]),
        segment(EVERYONE, key="2", overrides=[feature(value="second", priority=1)]),
    ]

    assert evaluate(feature(), segments=segments).value == "second"


def test_an_identity_override_beats_every_segment():
    override = feature(value="mine", priority=99)
    segments = [segment(EVERYONE, overrides=[feature(value="green", priority=float("-inf"))])]

    flag = evaluate(feature(), segments=segments, overrides={"checkout": override})

    assert (flag.value, flag.reason) == ("mine", "TARGETING_MATCH; segment=identity_overrides")
    assert flag.feature is override
    assert flag.segment is None


def test_an_identity_override_may_have_variants():
    override = feature(value="mine", variants=[variant("pinned", 100.0, 1, key="a")])

    flag = evaluate(feature(), overrides={"checkout": override})

    assert (flag.value, flag.reason, flag.variant) == ("pinned", "SPLIT; weight=100.0", "a")


def test_overrides_of_features_that_do_not_exist_are_ignored():
    unknown = feature("unknown")
    compiled = compile_context(
        context(feature(), segments=[segment(EVERYONE, overrides=[unknown])]),
    )

    evaluation = compiled.evaluate(USER, {"unknown": unknown})

    assert list(evaluation.flags) == ["checkout"]
    assert compiled.evaluate_feature("unknown", USER, {"unknown": unknown}) is None


# Variants ----------------------------------------------------------------------------------------

POSITION = percentage_for(("311", "env_user"))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([100], ("a", "SPLIT; weight=100")),
        ([POSITION], ("default", "DEFAULT")),
        ([POSITION, 1], ("b", "SPLIT; weight=1")),
        ([nextafter(POSITION, 100)], ("a", f"SPLIT; weight={nextafter(POSITION, 100)}")),
        ([0], ("default", "DEFAULT")),
        ([0, 0, 100], ("c", "SPLIT; weight=100")),
    ],
)
def test_bands_are_half_open_and_the_rest_keeps_control(weights, expected):
    variants = [
        variant(value, weight, priority)
        for priority, (value, weight) in enumerate(zip("abc", weights, strict=False))
    ]

    flag = evaluate(feature(key="311", variants=variants))

    assert (flag.value, flag.reason) == expected
    assert flag.variant == ("control" if flag.value == "default" else None)


def test_variants_lie_in_order_of_their_priority():
    variants = [variant("second", 50, 2**127), variant("first", 50, 1)]
    values = {True: "first", False: "second"}

    flag = evaluate(feature(key="311", variants=variants))

    assert flag.value == values[POSITION < 50]


@pytest.mark.parametrize(("weight", "reason"), [(100, "SPLIT; weight=100"), (100.0, "SPLIT; weight=100.0")])
def test_a_weight_is_named_as_it_was_given(weight, reason):
    assert evaluate(feature(variants=[variant("green", weight, 1)])).reason == reason


def test_a_variant_without_a_key_has_no_name():
    assert evaluate(feature(variants=[variant("green", 100, 1)])).variant is None


def test_a_segment_override_that_falls_through_keeps_its_reason():
    override = feature(value="theirs", variants=[variant("green", 0, 1)])
    flag = evaluate(feature(), segments=[segment(EVERYONE, name="pro", overrides=[override])])

    assert (flag.value, flag.variant, flag.reason) == ("theirs", "control", "TARGETING_MATCH; segment=pro")


def test_a_segment_override_without_variants_ends_the_split():
    split = feature(variants=[variant("green", 100, 1)])

    flag = evaluate(split, segments=[segment(EVERYONE, overrides=[feature(value="theirs")])])

    assert (flag.value, flag.variant) == ("theirs", None)


@pytest.mark.parametrize("weight", [None, "much", float("nan"), 10**400])
def test_a_weight_that_is_no_number_gives_no_one_the_variant(weight):
    flag = evaluate(feature(variants=[variant("green", weight, None), variant("red", 0, 1)]))

    assert (flag.value, flag.variant) == ("default", "control")


def test_the_key_of_an_identity_decides_and_is_composite_by_default():
    variants = [variant("green", 50, 1), variant("red", 50, 2)]
    compiled = compile_context(context(feature(key="311", variants=variants)))

    by_default = compiled.evaluate(Identity("user")).flags["checkout"]

    for key in (None, "", "env_user"):
        assert (
            compiled.evaluate(Identity("other" if key else "user", {}, key)).flags["checkout"] is by_default
        )


# Without identity --------------------------------------------------------------------------------


def test_flags_of_the_environment_know_no_segments_and_no_variants():
    split = feature(variants=[variant("green", 100, 1)])
    compiled = compile_context(context(split, segments=[segment(EVERYONE, overrides=[feature(value="x")])]))

    evaluation = compiled.evaluate(None)

    flag = evaluation.flags["checkout"]
    assert (flag.value, flag.variant, flag.reason) == ("default", None, "DEFAULT")
    assert list(evaluation.segments) == []
    assert compiled.evaluate_feature("checkout", None) is flag


def test_segments_of_a_context_without_identity_can_be_asked_for():
    conditions = [condition("IS_NOT_SET"), condition("IS_NOT_SET", trait="$.identity.identifier")]
    split = feature(value="theirs", variants=[variant("green", 100, 1)])
    compiled = compile_context(context(feature(), segments=[segment(rule(*conditions), overrides=[split])]))

    flag = compiled.evaluate_segments_without_identity().flags["checkout"]

    assert (flag.value, flag.variant) == ("theirs", None)


def test_a_context_may_have_no_features_and_no_segments():
    compiled = compile_context({"environment": {"key": "env", "name": "Production"}, "features": None})

    assert compiled.evaluate(USER).to_result() == {"flags": {}, "segments": []}
    assert compiled.evaluate_feature("checkout", USER) is None


# Segments ----------------------------------------------------------------------------------------


def test_matching_segments_are_listed_in_the_order_of_the_context():
    segments = [
        segment(EVERYONE, key="9", name="nine", metadata={"id": 9, "source": "api"}),
        segment(NOBODY, key="2", name="two"),
        segment(EVERYONE, key="1", name="one", metadata={}),
    ]
    compiled = compile_context(context(segments=segments))

    evaluation = compiled.evaluate(USER)

    assert evaluation.to_result()["segments"] == [
        {"name": "nine", "metadata": {"id": 9, "source": "api"}},
        {"name": "one"},
    ]
    assert compiled.matching_segments(USER) == [segments[0], segments[2]]


# Reasons -----------------------------------------------------------------------------------------


def test_a_feature_that_no_segment_overrides_is_static_where_that_policy_is_asked_for():
    features = [feature(), feature("banner")]
    segments = [segment(NOBODY, overrides=[feature("banner")])]
    compiled = compile_context(context(*features, segments=segments), reason_policy="STATIC")

    flags = compiled.evaluate(USER).flags

    assert {name: flag.reason for name, flag in flags.items()} == {"checkout": "STATIC", "banner": "DEFAULT"}


# What callers may build on -----------------------------------------------------------------------


def test_a_flag_is_the_same_object_each_time_it_is_chosen():
    split = feature(key="311", variants=[variant("green", 30, 1), variant("red", 30, 2)])
    half = rule(condition("PERCENTAGE_SPLIT", "50", None))
    override = feature(value="theirs", key="402", variants=[variant("blue", 50, 1)])
    compiled = compile_context(
        context(split, feature("banner"), segments=[segment(half, overrides=[override])])
    )

    evaluations = [compiled.evaluate(Identity(f"user-{number}")).flags for number in range(200)]

    chosen = {flags["checkout"] for flags in evaluations}
    assert sorted(str(flag.value) for flag in chosen) == ["blue", "default", "green", "red", "theirs"]
    assert len({flags["banner"] for flags in evaluations}) == 1


def test_evaluating_does_not_change_later_evaluations():
    compiled = compile_context(context(feature(), segments=[segment(rule(condition("IS_SET")))]))
    before = compiled.evaluate(USER).to_result()

    compiled.evaluate(Identity("other", {"trait": 1}), {"checkout": feature(value="mine")})

    assert compiled.evaluate(USER).to_result() == before
