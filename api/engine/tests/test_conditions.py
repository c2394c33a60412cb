"""Every operator, by table. A condition stands alone in a segment; the trait is called `trait`."""

import sys

import pytest

from engine.compiler import compile_context
from engine.hashing import percentage_for
from engine.subjects import Identity
from engine.tests.factories import condition, context, rule, segment

UNSET = object()
INT_THAT_HAS_NO_TEXT = 10**5000


def matches(condition_, *, traits=None, identifier="user", key=None, segment_key="1"):
    compiled = compile_context(context(segments=[segment(rule(condition_), key=segment_key)]))
    return bool(compiled.matching_segments(Identity(identifier, traits or {}, key)))


def holds(trait, operator, value):
    return matches(condition(operator, value), traits={} if trait is UNSET else {"trait": trait})


@pytest.mark.parametrize(
    ("trait", "operator", "value", "expected"),
    [
        (5, "EQUAL", "5", True),
        (5, "EQUAL", "5.0", False),
        (5, "NOT_EQUAL", "abc", False),
        ("5", "GREATER_THAN", "10", False),
        ("a5", "GREATER_THAN", "a10", True),
        (5.0, "EQUAL", "5", True),
        (True, "EQUAL", "1", True),
        (True, "EQUAL", "false", False),
        (False, "EQUAL", "0", False),
        (True, "IN", "true,True,1", False),
        (1, "IN", "1,2", True),
        (1, "IN", "1, 2", True),
        (2, "IN", "1, 2", False),
        ("x", "IN", '["x","y"]', True),
        ("1.2.3", "LESS_THAN", "1.10.0:semver", True),
        ("abc", "REGEX", "b", False),
        (35, "MODULO", "4|3", True),
        (UNSET, "NOT_EQUAL", "x", False),
        (UNSET, "IS_NOT_SET", "", True),
    ],
)
def test_the_worked_cases_of_the_sdk_contract_hold(trait, operator, value, expected):
    assert holds(trait, operator, value) is expected


@pytest.mark.parametrize("trait", [5, 7, "5", -3, 10**30, 5.5, True, False, "abc", "", "é"])
@pytest.mark.parametrize("value", ["5", "6.5", "abc", "False", "", "-3", " 5 ", "1_0"])
def test_comparisons_of_what_can_be_cast_agree_with_each_other(trait, value):
    equal, not_equal = holds(trait, "EQUAL", value), holds(trait, "NOT_EQUAL", value)
    less, greater = holds(trait, "LESS_THAN", value), holds(trait, "GREATER_THAN", value)

    assert [equal, less, greater].count(True) == (1 if equal or not_equal else 0)
    assert holds(trait, "LESS_THAN_INCLUSIVE", value) is (less or equal)
    assert holds(trait, "GREATER_THAN_INCLUSIVE", value) is (greater or equal)
    assert not (equal and not_equal)


@pytest.mark.parametrize("value", ["False", "false"])
def test_a_boolean_is_equal_to_false_in_two_spellings(value):
    assert holds(False, "EQUAL", value)
    assert not holds(True, "EQUAL", value)


@pytest.mark.parametrize("value", ["0", "no", "", "FALSE", "1", "true", "anything"])
def test_a_boolean_takes_every_other_text_for_true(value):
    assert holds(True, "EQUAL", value)
    assert holds(False, "NOT_EQUAL", value)
    assert holds(False, "LESS_THAN", value)


@pytest.mark.parametrize("value", ["5", " 5", "+5", "05", "0_5", "٥"])
def test_an_integer_reads_what_python_reads_as_one(value):
    assert holds(5, "EQUAL", value)


@pytest.mark.parametrize("value", ["5.5", "5.0", "5e0", "abc", "", "0x5", "nan"])
@pytest.mark.parametrize("operator", ["EQUAL", "NOT_EQUAL", "GREATER_THAN", "LESS_THAN_INCLUSIVE"])
def test_every_comparison_is_false_when_the_value_is_no_integer(value, operator):
    assert not holds(5, operator, value)


@pytest.mark.parametrize(("value", "equal"), [("5", True), ("5.0", True), ("0.5e1", True), ("inf", False)])
def test_a_float_reads_what_python_reads_as_one(value, equal):
    assert holds(5.0, "EQUAL", value) is equal
    assert holds(5.0, "NOT_EQUAL", value) is not equal


def test_nothing_equals_nan():
    assert not holds(float("nan"), "EQUAL", "nan")
    assert holds(5.0, "NOT_EQUAL", "nan")
    assert not holds(5.0, "LESS_THAN", "nan")


def test_numbers_sent_as_text_compare_as_numbers():
    assert holds("9", "LESS_THAN", "10")
    assert holds("007", "EQUAL", "7")
    assert holds("1.50", "EQUAL", "1.5")
    assert holds("007", "REGEX", "7$")
    assert holds("007", "IN", "7")


@pytest.mark.parametrize(
    ("trait", "operator", "version", "expected"),
    [
        ("1.2.3", "EQUAL", "1.2.3", True),
        ("1.2.3", "NOT_EQUAL", "1.2.3", False),
        ("1.2.3", "NOT_EQUAL", "1.2.4", True),
        ("1.10.0", "GREATER_THAN", "1.9.0", True),
        ("1.2.3", "GREATER_THAN_INCLUSIVE", "1.2.3", True),
        ("1.2.3", "LESS_THAN_INCLUSIVE", "1.2.3", True),
        ("1.2.3-rc.1", "LESS_THAN", "1.2.3", True),
        ("1.2.3-rc.2", "LESS_THAN", "1.2.3-rc.10", True),
        ("1.0.0-alpha", "LESS_THAN", "1.0.0-alpha.1", True),
        ("1.0.0-alpha.1", "LESS_THAN", "1.0.0-alpha.beta", True),
        ("1.0.0-99", "LESS_THAN", "1.0.0-alpha", True),
        ("1.0.0-2a", "LESS_THAN", "1.0.0-10a", False),
        ("1.2.3+build.1", "EQUAL", "1.2.3+build.2", True),
        ("1.2.3", "EQUAL", "1.2", False),
        ("01.2.3", "EQUAL", "1.2.3", False),
        ("1.2", "NOT_EQUAL", "1.2.3", False),
        ("latest", "NOT_EQUAL", "1.2.3", False),
        ("1.2.3", "NOT_EQUAL", "latest", False),
        (1, "EQUAL", "1.0.0", False),
        (1.0, "EQUAL", "1.0.0", False),
        (True, "EQUAL", "1.0.0", True),
    ],
)
def test_versions_are_compared_by_the_rules_of_semver(trait, operator, version, expected):
    assert holds(trait, operator, f"{version}:semver") is expected


@pytest.mark.parametrize(
    ("trait", "contained", "not_contained"),
    [
        ("enterprise", True, False),
        ("ENTERPRISE", False, True),
        ("", False, True),
        (5, False, False),
        (1.5, False, False),
        (True, False, False),
        (UNSET, False, False),
    ],
)
def test_contains_looks_at_text_only(trait, contained, not_contained):
    assert holds(trait, "CONTAINS", "prise") is contained
    assert holds(trait, "NOT_CONTAINS", "prise") is not_contained


def test_contains_takes_a_version_for_the_text_it_is():
    assert holds("is 1.2.3:semver", "CONTAINS", "1.2.3:semver")


@pytest.mark.parametrize(
    ("trait", "value", "expected"),
    [
        ("x", "x,y", True),
        ("y", "x, y", False),
        (" y", "x, y", True),
        ("x", '["x", "y"]', True),
        ("x", ["x", "y"], True),
        (5, ["4", "5"], True),
        (5, [4, 5], True),
        (5, "[4, 5]", True),
        ("True", "[true]", True),
        ("None", "[null]", True),
        ("[1", "[1,2", True),
        (2, "[1,2", True),
        ("", "", True),
        ("", "[]", False),
        ("", [], False),
        ("a,b", '["a,b"]', True),
        ("a,b", "a,b", False),
        (1.5, "1.5", False),
        (True, ["True", "1"], False),
        (UNSET, "", False),
        (UNSET, ["None"], False),
        ("", None, True),
        ("x", "[" * 2000, False),
        ("x", [INT_THAT_HAS_NO_TEXT, "x"], False),
    ],
)
def test_in_reads_lists_json_and_commas_and_trims_nothing(trait, value, expected):
    assert holds(trait, "IN", value) is expected


@pytest.mark.parametrize(
    ("trait", "pattern", "expected"),
    [
        ("abc", "a", True),
        ("abc", "ab$", False),
        ("abc", "b", False),
        ("abc", ".*b", True),
        (7, r"\d", True),
        (1.5, r"1\.5$", True),
        (True, "True$", True),
        (UNSET, "", False),
        ("abc", "(", False),
        ("aa", r"(a)\1", False),
        ("a\ud800", "a", False),
    ],
)
def test_regex_is_anchored_at_the_start_only(trait, pattern, expected):
    assert holds(trait, "REGEX", pattern) is expected


@pytest.mark.parametrize(
    ("trait", "value", "expected"),
    [
        (4, "2|0", True),
        (5, "2|0", False),
        ("5", "2|1", True),
        (5.5, "2.5|0.5", True),
        (-1, "4|3", True),
        (3, "-4|-1", True),
        (True, "2|1", True),
        (5, "0|0", False),
        (5, "2", False),
        (5, "2|1|0", False),
        (5, "a|b", False),
        (5, "", False),
        (5, "inf|5", True),
        (float("inf"), "2|0", False),
        (10**400, "2|0", False),
        ("abc", "2|0", False),
        (UNSET, "2|0", False),
    ],
)
def test_modulo_divides_numbers_and_is_false_for_all_else(trait, value, expected):
    assert holds(trait, "MODULO", value) is expected


@pytest.mark.parametrize("trait", ["", False, 0, "x", [], float("nan")])
def test_a_trait_with_any_value_is_set(trait):
    assert holds(trait, "IS_SET", "")
    assert not holds(trait, "IS_NOT_SET", "")


@pytest.mark.parametrize("trait", [UNSET, None])
def test_a_trait_without_a_value_is_not_set(trait):
    assert not holds(trait, "IS_SET", "")
    assert holds(trait, "IS_NOT_SET", "")


@pytest.mark.parametrize(
    "operator",
    [
        *("EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_INCLUSIVE", "LESS_THAN", "LESS_THAN_INCLUSIVE"),
        *("CONTAINS", "NOT_CONTAINS", "REGEX", "MODULO", "IN", "IS_SET", "PERCENTAGE_SPLIT", "UNHEARD_OF"),
    ],
)
def test_a_trait_that_is_not_set_matches_nothing_but_is_not_set(operator):
    assert not holds(UNSET, operator, "")
    assert not holds(None, operator, "None")


def test_an_operator_that_nobody_knows_is_false():
    assert not holds("x", "UNHEARD_OF", "x")


def test_a_value_that_is_null_is_empty_text():
    assert holds("", "EQUAL", None)
    assert holds(5, "IS_SET", None)


@pytest.mark.parametrize("operator", ["REGEX", "IN", "PERCENTAGE_SPLIT", "MODULO", "EQUAL", "CONTAINS"])
def test_an_integer_too_long_for_its_text_makes_a_condition_false(operator):
    assert not holds(INT_THAT_HAS_NO_TEXT, operator, "100|0")


def test_a_percentage_split_includes_its_limit():
    percentage = percentage_for(("7", "pro"))
    exactly = condition("PERCENTAGE_SPLIT", repr(percentage))
    just_below = condition("PERCENTAGE_SPLIT", repr(percentage - 0.001))

    assert matches(exactly, traits={"trait": "pro"}, segment_key="7")
    assert not matches(just_below, traits={"trait": "pro"}, segment_key="7")


@pytest.mark.parametrize("blank", [None, ""])
def test_a_percentage_split_without_a_property_takes_the_identity_key(blank):
    percentage = percentage_for(("7", "env_00123"))
    exactly = condition("PERCENTAGE_SPLIT", repr(percentage), blank)
    just_below = condition("PERCENTAGE_SPLIT", repr(percentage - 0.001), blank)

    assert matches(exactly, identifier="00123", segment_key="7")
    assert not matches(just_below, identifier="00123", segment_key="7")
    assert matches(exactly, identifier="another", key="env_00123", segment_key="7")


@pytest.mark.parametrize("value", ["abc", "", "nan", "-1"])
def test_a_percentage_split_by_no_percentage_is_false(value):
    assert not holds("pro", "PERCENTAGE_SPLIT", value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.identity.identifier", "user"),
        ("$.identity.key", "env_user"),
        ("$.identity.traits.plan", "pro"),
        ("$.identity.traits['first name']", "Ada"),
        ("$.identity.traits.tags[0]", "a"),
        ("$.identity.traits.tags[-1]", "b"),
        ("$.identity.traits.address.city", "Paris"),
        ("$.environment.name", "Production"),
        ("$.environment.key", "env"),
        ("$.segments['1'].name", "segment"),
    ],
)
def test_a_path_reads_any_part_of_the_context(path, value):
    traits = {
        "plan": "pro",
        "first name": "Ada",
        "tags": ["a", "b"],
        "address": {"city": "Paris"},
    }

    assert matches(condition("EQUAL", value, path), traits=traits)


@pytest.mark.parametrize(
    "path",
    [
        "$.identity",
        "$.identity.traits",
        "$.identity.traits.tags",
        "$.identity.traits.tags[2]",
        "$.identity.traits[0]",
        "$.identity.traits.tags.name",
        "$.identity.nothing",
        "$.identity.identifier.length",
        "$.nothing",
        "$.environment",
        "$.flags",
        "$.flags.checkout",
        "$.flags.checkout.enabled",
        "$.identity.*",
        "$.identity..plan",
        "$..plan",
        "$.identity.traits.tags[0:1]",
        "$.identity.traits.tags['a','b']",
        "$.identity[?@.plan == 'pro']",
        "$.identity.traits[?nonsense(@)]",
        "$.",
        "$.odd[",
        "$." + "[?(" * 300,
        "$.identity.traits.tags[99999999999999999999]",
    ],
)
def test_a_path_that_gives_no_single_value_is_not_set(path):
    assert matches(condition("IS_NOT_SET", "", path), traits={"tags": ["a", "b"], "plan": "pro"})


@pytest.mark.parametrize("key", ["$.identity.identifier", "$.odd[", "$.identity.*"])
def test_a_trait_may_be_called_like_a_path_and_comes_first(key):
    assert matches(condition("EQUAL", "trait", key), traits={key: "trait"})


def test_a_path_reads_numbers_as_numbers():
    assert matches(condition("EQUAL", "123", "$.identity.identifier"), identifier="00123")


def test_a_property_that_is_blank_is_a_trait_called_so():
    assert matches(condition("EQUAL", "x", ""), traits={"": "x"})
    assert matches(condition("IS_NOT_SET", "", None))


def test_the_limit_for_integers_in_text_is_not_above_what_python_reads():
    assert sys.get_int_max_str_digits() == 0 or sys.get_int_max_str_digits() >= 4300
