"""What a flag is in OFREP: value, reason, variant and metadata, row by row of the protocol's mapping."""

import json
from typing import Any

import pytest

from documents.tests.factories import (
    default_state,
    make_feature,
    make_segment,
    override_for_identity,
    override_for_segment,
)
from features.models import Feature
from segments.models import Operator

LEFT_OUT = "left out"


def item(response) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    return response.json()


def set_value(feature: Feature, environment, value) -> None:
    state = default_state(feature, environment)
    state.value = value
    state.save()


@pytest.mark.parametrize(
    ("enabled", "value", "answered", "reason", "variant"),
    [
        (True, "blue", "blue", "STATIC", "default"),
        (True, "007", "007", "STATIC", "default"),
        (True, 20, 20, "STATIC", "default"),
        (True, 0, 0, "STATIC", "default"),
        (True, True, True, "STATIC", "default"),
        (True, False, False, "STATIC", "default"),
        (True, None, True, "STATIC", "enabled"),
        (True, "", True, "STATIC", "enabled"),
        (False, "blue", LEFT_OUT, "DISABLED", "disabled"),
        (False, False, LEFT_OUT, "DISABLED", "disabled"),
        (False, 0, LEFT_OUT, "DISABLED", "disabled"),
        (False, None, False, "DISABLED", "disabled"),
        (False, "", False, "DISABLED", "disabled"),
    ],
)
def test_switch_and_value_become_one_value(
    project, environment, evaluate, enabled, value, answered, reason, variant
):
    feature = make_feature(project, "flag", enabled=enabled)
    set_value(feature, environment, value)

    found = item(evaluate("flag"))

    assert found.pop("metadata") == {"enabled": enabled, "featureId": feature.pk}
    answer = {} if answered is LEFT_OUT else {"value": answered}
    assert found == {"key": "flag", **answer, "reason": reason, "variant": variant}
    assert type(found.get("value")) is type(answer.get("value"))


def test_an_identitys_own_value_is_a_targeting_match(project, environment, evaluate):
    feature = make_feature(project, "limit", value="10", enabled=True)
    override_for_identity(feature, environment, "kim", value=50)

    kim, lee = item(evaluate("limit", "kim")), item(evaluate("limit", "lee"))

    assert [(each["value"], each["reason"], each["variant"]) for each in (kim, lee)] == [
        (50, "TARGETING_MATCH", "default"),
        (10, "STATIC", "default"),
    ]


def test_a_segments_value_is_a_targeting_match_with_and_without_an_identity(project, environment, evaluate):
    feature = make_feature(project, "paying", value="no", enabled=True)
    override_for_segment(
        feature, environment, make_segment(project, property="plan", value="pro"), value="yes"
    )

    answers = [item(evaluate("paying", key, plan=plan)) for key in ("kim", None) for plan in ("pro", "free")]

    assert [(each["value"], each["reason"]) for each in answers] == [
        ("yes", "TARGETING_MATCH"),
        ("no", "STATIC"),
    ] * 2


def test_an_override_that_switches_off_is_disabled(project, environment, evaluate):
    feature = make_feature(project, "flag", value="on", enabled=True)
    override_for_identity(feature, environment, "kim", enabled=False, value="off")

    found = item(evaluate("flag", "kim"))

    assert (found["reason"], found["variant"], "value" in found) == ("DISABLED", "disabled", False)


def test_a_drawn_variant_is_a_split_and_named_by_its_key(project, evaluate):
    make_feature(project, "colour", value="blue", enabled=True, variants={"green": ("#0f0", 100)})

    found = item(evaluate("colour", "kim"))

    assert (found["value"], found["reason"], found["variant"]) == ("#0f0", "SPLIT", "green")


def test_a_variant_without_a_key_is_called_default(project, evaluate):
    make_feature(project, "colour", value="blue", enabled=True, variants={"": ("#0f0", 100)})

    found = item(evaluate("colour", "kim"))

    assert (found["value"], found["reason"], found["variant"]) == ("#0f0", "SPLIT", "default")


@pytest.mark.parametrize("targeting_key", ["kim", None])
def test_who_draws_no_variant_has_control(project, evaluate, targeting_key):
    make_feature(project, "colour", value="blue", enabled=True, variants={"green": ("#0f0", 0)})

    found = item(evaluate("colour", targeting_key))

    assert (found["value"], found["reason"], found["variant"]) == ("blue", "STATIC", "control")


def test_a_fixed_value_for_one_identity_of_a_feature_with_variants_is_control(project, environment, evaluate):
    feature = make_feature(project, "colour", value="blue", enabled=True, variants={"green": ("#0f0", 100)})
    override_for_identity(feature, environment, "kim", value="red")

    found = item(evaluate("colour", "kim"))

    assert (found["value"], found["reason"], found["variant"]) == ("red", "TARGETING_MATCH", "control")


def test_variants_are_drawn_as_identities_draws_them(project, evaluate, identify):
    make_feature(
        project, "colour", value="blue", enabled=True, variants={"green": ("g", 30), "red": ("r", 40)}
    )

    for number in range(30):
        flag = identify(f"user-{number}")["flags"][0]
        found = item(evaluate("colour", f"user-{number}"))
        assert (found["value"], found["variant"]) == (flag["feature_state_value"], flag["variant"])


def depend_on_each_other(project, environment) -> None:
    for name, other in (("egg", "hen"), ("hen", "egg")):
        feature = make_feature(project, name, value="no", enabled=True)
        segment = make_segment(
            project, property=f"$.flags.{other}.enabled", operator=Operator.EQUAL, value="true"
        )
        override_for_segment(feature, environment, segment, value="yes")


def test_flags_that_depend_on_each_other_fail_alone(project, environment, evaluate, evaluate_all):
    depend_on_each_other(project, environment)
    make_feature(project, "plain", value="1", enabled=True)

    one, every = evaluate("egg", "kim"), evaluate_all("kim").json()["flags"]

    failure = {"errorCode": "GENERAL", "errorDetails": "The flag depends on itself.", "metadata": {}}
    assert (one.status_code, one.json()) == (400, {"key": "egg", **failure})
    assert every[:2] == [{"key": "egg", **failure}, {"key": "hen", **failure}]
    assert every[2]["value"] == 1


TEXTS = [
    ('{"a": [1, 2.50], "b": {"c": null}}', {"a": [1, 2.5], "b": {"c": None}}),
    (' {"a": 1}\n', {"a": 1}),
    ("{}", {}),
    ("1.5", 1.5),
    ("-2e3", -2000.0),
    ("1.0", 1.0),
    ("[1, 2]", "[1, 2]"),  # the protocol has no lists
    ("null", "null"),
    ('"text"', '"text"'),
    ("{not json}", "{not json}"),
    ("NaN", "NaN"),
    ("1e999", "1e999"),
    ('{"a": NaN}', '{"a": NaN}'),
    ("99999999999", "99999999999"),
    ('{"a": "\\ud800"}', {"a": "\ud800"}),
    ('{"a":' * 50_00 + "1" + "}" * 50_00, '{"a":' * 50_00 + "1" + "}" * 50_00),
]


@pytest.mark.parametrize(("text", "native"), TEXTS, ids=lambda value: str(value)[:20].encode().__repr__())
def test_a_switch_turns_texts_that_are_objects_or_floats_into_these(
    project, environment, evaluate, settings, text, native
):
    settings.FEATURE_VALUE_LIMIT = 100_000
    feature = make_feature(project, "flag", enabled=True)
    set_value(feature, environment, text)

    assert item(evaluate("flag"))["value"] == text
    settings.OFREP_NATIVE_JSON = True
    found = json.loads(evaluate("flag").content)["value"]

    assert (found, type(found)) == (native, type(native))
