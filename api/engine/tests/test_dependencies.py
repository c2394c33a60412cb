"""Conditions that read flags: `$.flags.<name>.enabled`, `.value` and `.variant`."""

from itertools import pairwise

import pytest

from engine.compiler import compile_context
from engine.subjects import Identity
from engine.tests.factories import condition, context, feature, rule, segment

USER = Identity("user")
CIRCULAR = "ERROR; code=CIRCULAR_DEPENDENCY"


def depends_on(name, value="True", part="enabled"):
    return rule(condition("EQUAL", value, f"$.flags['{name}'].{part}"))


def overriding(name, *rules, key):
    return segment(*rules, key=key, name=f"for {name}", overrides=[feature(name, value="overridden")])


@pytest.mark.parametrize(
    ("part", "value"),
    [("enabled", "True"), ("value", "green"), ("variant", "a")],
)
def test_a_condition_reads_any_part_of_another_flag(part, value):
    variants = [{"value": "green", "weight": 100, "priority": 1, "key": "a"}]
    features = [feature("checkout"), feature("banner", variants=variants)]
    compiled = compile_context(
        context(*features, segments=[overriding("checkout", depends_on("banner", value, part), key="1")])
    )

    assert compiled.evaluate(USER).flags["checkout"].value == "overridden"
    single = compiled.evaluate_feature("checkout", USER)
    assert single is not None
    assert single.value == "overridden"
    assert [found["name"] for found in compiled.matching_segments(USER)] == ["for checkout"]


def test_dependencies_are_followed_as_far_as_they_go():
    features = [feature(name) for name in ("first", "second", "third")]
    segments = [
        overriding("first", depends_on("second", "overridden", "value"), key="1"),
        overriding("second", depends_on("third", "overridden", "value"), key="2"),
        overriding("third", rule(condition("IS_SET", trait="beta")), key="3"),
    ]
    compiled = compile_context(context(*features, segments=segments))

    flags = compiled.evaluate(Identity("user", {"beta": True})).flags
    others = compiled.evaluate(USER).flags

    assert {flag.value for flag in flags.values()} == {"overridden"}
    assert {flag.value for flag in others.values()} == {"default"}


def test_an_identity_override_counts_for_what_depends_on_it():
    features = [feature("checkout"), feature("banner", enabled=False)]
    compiled = compile_context(
        context(*features, segments=[overriding("checkout", depends_on("banner"), key="1")])
    )
    own = {"banner": feature("banner", enabled=True)}

    assert compiled.evaluate(USER).flags["checkout"].value == "default"
    assert compiled.evaluate(USER, own).flags["checkout"].value == "overridden"
    assert compiled.matching_segments(USER, own)


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c")])
def test_flags_that_depend_on_themselves_keep_their_default_and_say_so(names):
    segments = [
        overriding(name, rule(condition("IS_NOT_SET", "", f"$.flags.{depended_on}.enabled")), key=str(index))
        for index, (name, depended_on) in enumerate(zip(names, names[1:] + names[:1], strict=True))
    ]
    compiled = compile_context(context(*map(feature, names), segments=segments))

    evaluation = compiled.evaluate(USER)

    assert {flag.reason for flag in evaluation.flags.values()} == {CIRCULAR}
    assert {flag.value for flag in evaluation.flags.values()} == {"default"}
    assert list(evaluation.segments) == []


def test_circles_that_share_a_flag_are_one():
    names = ("a", "b", "c")
    dependencies = {"a": ("a", "b", "c"), "b": ("a",), "c": ("b",)}
    segments = [
        overriding(name, depends_on(depended_on), key=f"{name}{depended_on}")
        for name in names
        for depended_on in dependencies[name]
    ]
    compiled = compile_context(context(*map(feature, names), segments=segments))

    assert {flag.reason for flag in compiled.evaluate(USER).flags.values()} == {CIRCULAR}


def test_what_depends_on_a_circle_without_being_in_it_keeps_an_ordinary_reason():
    segments = [
        overriding("a", depends_on("a"), key="1"),
        overriding("outside", depends_on("a"), key="2"),
    ]
    compiled = compile_context(context(feature("a"), feature("outside"), segments=segments))

    flags = compiled.evaluate(USER).flags

    assert (flags["a"].reason, flags["outside"].reason) == (CIRCULAR, "DEFAULT")


def test_many_flags_that_all_depend_on_each_other_are_settled_in_no_time():
    names = [f"f{number}" for number in range(25)]
    segments = [
        overriding(
            name, rule(*(condition("IS_SET", "", f"$.flags.{n}.value") for n in names), type="ANY"), key=name
        )
        for name in names
    ]
    compiled = compile_context(context(*map(feature, names), segments=segments))

    assert {flag.reason for flag in compiled.evaluate(USER).flags.values()} == {CIRCULAR}


def test_a_chain_that_would_exhaust_the_stack_is_cut():
    names = [f"f{number}" for number in range(2_000)]
    segments = [
        overriding(name, depends_on(needed), key=str(number))
        for number, (name, needed) in enumerate(pairwise(names))
    ]
    compiled = compile_context(context(*map(feature, names), segments=segments))

    flags = compiled.evaluate(USER).flags

    assert (flags["f0"].value, flags["f0"].reason) == ("default", "DEFAULT")
    assert flags["f1998"].value == "overridden"


@pytest.mark.parametrize("path", ["$.flags.unknown.enabled", "$.flags.banner.name", "$.flags.banner"])
def test_what_is_no_part_of_a_flag_is_not_set(path):
    compiled = compile_context(
        context(feature("banner"), segments=[segment(rule(condition("IS_NOT_SET", "", path)))])
    )

    assert compiled.matching_segments(USER)
