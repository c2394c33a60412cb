import pytest

from engine.compiler import MAX_RULE_DEPTH, compile_context
from engine.subjects import Identity
from engine.tests.factories import condition, context, rule, segment

TRUE = condition("IS_NOT_SET")
FALSE = condition("IS_SET")


def matches(*rules):
    return bool(compile_context(context(segments=[segment(*rules)])).matching_segments(Identity("user")))


@pytest.mark.parametrize(
    ("type", "conditions", "expected"),
    [
        ("ALL", [TRUE, TRUE], True),
        ("ALL", [TRUE, FALSE], False),
        ("ALL", [FALSE], False),
        ("ANY", [FALSE, TRUE], True),
        ("ANY", [FALSE, FALSE], False),
        ("ANY", [TRUE], True),
        ("NONE", [FALSE, FALSE], True),
        ("NONE", [FALSE, TRUE], False),
        ("NONE", [TRUE], False),
        ("ALL", [], True),
        ("ANY", [], True),
        ("NONE", [], True),
        ("SOME", [TRUE], False),
    ],
)
def test_a_rule_combines_its_conditions_by_its_type(type, conditions, expected):
    assert matches(rule(*conditions, type=type)) is expected


@pytest.mark.parametrize(
    ("type", "expected"),
    [("ALL", False), ("ANY", True), ("NONE", False)],
)
def test_a_rule_combines_its_nested_rules_by_its_own_type_too(type, expected):
    assert matches(rule(type=type, rules=[rule(TRUE), rule(FALSE)])) is expected


@pytest.mark.parametrize(
    ("conditions", "nested", "expected"),
    [([TRUE], [TRUE], True), ([TRUE], [FALSE], False), ([FALSE], [TRUE], False)],
)
def test_conditions_and_nested_rules_both_have_to_hold_even_for_any(conditions, nested, expected):
    assert matches(rule(*conditions, type="ANY", rules=[rule(*nested)])) is expected


def test_nested_rules_go_as_deep_as_they_are_written():
    assert matches(rule(rules=[rule(type="ANY", rules=[rule(type="NONE", rules=[rule(FALSE)])])]))


def test_every_root_rule_has_to_match():
    assert matches(rule(TRUE), rule(TRUE))
    assert not matches(rule(TRUE), rule(FALSE))


def test_a_segment_without_rules_never_matches():
    assert not matches()


def test_groups_of_a_rule_may_be_missing_or_null():
    assert matches({"type": "ANY"})
    assert matches({"type": "ALL", "conditions": None, "rules": None})


def test_rules_nested_beyond_all_sense_never_match():
    deepest = rule(TRUE)
    for _ in range(MAX_RULE_DEPTH - 1):
        deepest = rule(rules=[deepest])

    assert matches(deepest)
    assert not matches(rule(rules=[deepest]))
