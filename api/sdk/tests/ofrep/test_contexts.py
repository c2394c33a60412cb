"""For whom flags are evaluated, and what of a context can't be."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from engine.hashing import percentage_for
from environments.models import Environment
from identities.models import Identity, TraitKey
from sdk.tests.ofrep.conftest import FLAGS
from segments.models import Operator


@pytest.fixture
def matches(project, environment, evaluate):
    """Return whether a context is in a segment: `matches("EQUAL", "5", "kim", trait=5)`."""

    def is_in(operator: str, value: str | None, targeting_key: Any = None, **attributes: Any) -> bool:
        segment = make_segment(project, property="trait", operator=operator, value=value)
        feature = make_feature(project, enabled=True, value="no")
        override_for_segment(feature, environment, segment, value="yes")
        return evaluate(feature.name, targeting_key, **attributes).json()["value"] == "yes"

    return is_in


def post(client, content: Any, path: str = FLAGS, content_type: str = "application/json") -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.generic("POST", path, body, content_type=content_type)


def refusal(response) -> tuple[int, str, str]:
    content = response.json()
    assert content["metadata"] == {}
    return response.status_code, content["errorCode"], content["errorDetails"]


def test_nothing_is_stored(feature, environment, evaluate, evaluate_all):
    evaluate("new_checkout", "kim", plan="pro")
    evaluate_all("kim", plan="pro")

    assert not Identity.objects.exists()
    assert not TraitKey.objects.exists()


def test_stored_traits_count_under_those_of_the_context_and_stay(stored, matches):
    assert matches(Operator.EQUAL, "x", "kim", trait="x")
    stored.traits = {"trait": "stored"}
    stored.save()

    answers = [
        matches(Operator.EQUAL, "stored", "kim"),
        matches(Operator.EQUAL, "stored", "kim", trait=None),  # null isn't an attribute
        matches(Operator.EQUAL, "given", "kim", trait="given"),
        matches(Operator.EQUAL, "stored", "lee"),
    ]

    stored.refresh_from_db()
    assert answers == [True, True, True, False]
    assert stored.traits == {"trait": "stored"}


@pytest.mark.parametrize(
    ("attribute", "operator", "value"),
    [
        ("pro", Operator.EQUAL, "pro"),
        ("7", Operator.GREATER_THAN, "6"),
        (7, Operator.EQUAL, "7"),
        (7.5, Operator.EQUAL, "7.5"),
        (True, Operator.EQUAL, "true"),
        (2**70, Operator.EQUAL, str(2**70)),
        ("x" * 2001, Operator.CONTAINS, "xx"),
        ("a\0b", Operator.CONTAINS, "a"),
        ("2026-01-01T00:00:00Z", Operator.CONTAINS, "2026"),
    ],
    ids=lambda value: str(value)[:20].encode().__repr__(),
)
@pytest.mark.parametrize("targeting_key", ["kim", None])
def test_attributes_are_traits(matches, attribute, operator, value, targeting_key):
    assert matches(operator, value, targeting_key, trait=attribute)


@pytest.mark.parametrize("attribute", [{"a": 1}, ["a"], [], None])
def test_objects_lists_and_nulls_are_no_traits(matches, attribute):
    assert not matches(Operator.IS_SET, "", "kim", trait=attribute)


def test_the_targeting_key_is_no_trait(project, environment, evaluate):
    segment = make_segment(project, property="targetingKey", operator=Operator.IS_SET, value="")
    feature = make_feature(project, enabled=True, value="no")
    override_for_segment(feature, environment, segment, value="yes")

    assert evaluate(feature.name, "kim").json()["value"] == "no"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"context": {}}',
        b'{"context": null}',
        b'{"context": {"targetingKey": ""}}',
        b'{"context": {"targetingKey": " "}}',
        b'{"context": {"targetingKey": null, "nested": {}}}',
    ],
)
def test_a_context_that_says_nothing_gives_the_environments_flags(project, environment, sdk_client, body):
    feature = make_feature(project, "flag", value="default", enabled=True, variants={"a": ("A", 100)})
    everyone = make_segment(project, property="plan", operator=Operator.IS_NOT_SET, value="")
    override_for_segment(feature, environment, everyone, value="override")

    response = post(sdk_client, body)

    assert response.status_code == 200
    assert [flag["value"] for flag in response.json()["flags"]] == ["default"]


def test_attributes_alone_are_somebody_and_always_the_same(project, environment, evaluate):
    variants = {f"v{number}": (f"v{number}", 10) for number in range(10)}
    feature = make_feature(project, "flag", value="control", enabled=True, variants=variants)
    identifier = hashlib.sha256(b"betaTrueplanpro").hexdigest()
    position = percentage_for((str(seed(feature, environment)), f"{environment.api_key}_{identifier}"))

    answers = {evaluate("flag", plan="pro", beta=True).json()["variant"] for _ in range(3)}

    assert answers == {f"v{int(position // 10)}"}


def seed(feature, environment: Environment) -> int:
    return feature.feature_states.get(environment=environment).pk


def test_a_number_is_a_targeting_key_too(project, environment, evaluate):
    feature = make_feature(project, "flag", enabled=True, value="all")
    override_for_identity(feature, environment, "17", value="own")

    assert [evaluate("flag", key).json()["value"] for key in (17, "17", " 17 ", 18)] == [
        "own",
        "own",
        "own",
        "all",
    ]


@pytest.mark.parametrize("key", [{}, [], ["kim"], True, "x" * 2001, "\0", "\ud800"])
@pytest.mark.parametrize("flag", ["flag", None])
def test_what_is_no_targeting_key_is_refused(db, sdk_client, key, flag):
    path = f"{FLAGS}/{flag}" if flag else FLAGS

    response = post(sdk_client, {"context": {"targetingKey": key}}, path)

    status, code, details = refusal(response)
    assert (status, code) == (400, "INVALID_CONTEXT")
    assert details.startswith("The targetingKey is not valid.")
    assert response.json().get("key") == flag


@pytest.mark.parametrize("context", [[], "text", 7, True])
def test_a_context_that_is_no_object_is_refused(sdk_client, context):
    assert refusal(post(sdk_client, {"context": context})) == (
        400,
        "INVALID_CONTEXT",
        "The context must be a JSON object.",
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"), [("plan", "\ud800", "'plan'"), ("\udfff", "pro", "'\\udfff'")]
)
def test_half_a_character_is_refused_by_name(sdk_client, name, value, shown):
    status, code, details = refusal(post(sdk_client, {"context": {name: value}}))

    assert (status, code) == (400, "INVALID_CONTEXT")
    assert shown in details


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b" ",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b'{"context": NaN}',
        b'{"context": {"a": 1e999}}',
        b'{"context": {"a": "\xff"}}',
        b"\xff\xfe",
        b'{"a":' * 10_000,
        b"[" * 100_000,
        b'{"context": {"a": ' + b"9" * 5000 + b"}}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_cannot_be_read_is_refused(sdk_client, body):
    status, code, details = refusal(post(sdk_client, body))

    assert (status, code) == (400, "PARSE_ERROR")
    assert details


@pytest.mark.parametrize("content_type", ["", "application/json; charset=utf-8", "Application/JSON"])
def test_a_body_is_read_as_json(sdk_client, content_type):
    assert post(sdk_client, {"context": {}}, content_type=content_type).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_a_body_that_says_to_be_something_else_is_refused(sdk_client, content_type):
    assert refusal(post(sdk_client, {}, content_type=content_type))[:2] == (415, "PARSE_ERROR")


def test_a_switch_asks_for_a_targeting_key(feature, evaluate, evaluate_all, settings):
    settings.OFREP_REQUIRE_TARGETING_KEY = True

    refused = [evaluate("new_checkout", plan="pro"), evaluate_all(), evaluate_all(" ")]

    assert {refusal(each)[:2] for each in refused} == {(400, "TARGETING_KEY_MISSING")}
    assert evaluate("new_checkout", "kim").status_code == 200


def test_where_clients_set_no_traits_attributes_count_for_servers_only(
    project, environment, stored, evaluate, server_sdk_client
):
    environment.allow_client_traits = False
    environment.save()
    feature = make_feature(project, "flag", enabled=True, value="no")
    override_for_segment(
        feature, environment, make_segment(project, property="plan", value="pro"), value="pro"
    )
    override_for_segment(
        feature, environment, make_segment(project, property="plan", value="free"), value="free", priority=1
    )

    clients = [evaluate("flag", key, plan="pro").json()["value"] for key in ("kim", "lee", None)]
    servers = [
        evaluate("flag", key, plan="pro", client=server_sdk_client).json()["value"] for key in ("kim", None)
    ]

    assert clients == ["free", "no", "no"]
    assert servers == ["pro", "pro"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)
contexts = st.dictionaries(st.sampled_from(["targetingKey", "plan"]) | st.text(st.characters()), json_values)
bodies = json_values | st.fixed_dictionaries({"context": json_values | contexts})


@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=bodies, path=st.sampled_from([FLAGS, f"{FLAGS}/flag", f"{FLAGS}/unknown"]))
def test_any_json_is_answered_with_flags_or_an_error(varied, sdk_client, body, path):
    response = post(sdk_client, body, path)

    content = response.json()
    assert response.status_code in {200, 400, 404}
    if response.status_code == 200:
        items = content["flags"] if path == FLAGS else [content]
        assert [set(item) for item in items] == [{"key", "value", "reason", "variant", "metadata"}]
    else:
        assert set(content) - {"key"} == {"errorCode", "errorDetails", "metadata"}
        assert content["errorDetails"]


@pytest.fixture
def varied(project, environment) -> None:
    feature = make_feature(project, "flag", enabled=True, value="no", variants={"a": ("A", 50)})
    for priority, (operator, value) in enumerate(
        [(Operator.REGEX, "p.*"), (Operator.PERCENTAGE_SPLIT, "50")]
    ):
        segment = make_segment(project, property="plan", operator=operator, value=value)
        override_for_segment(feature, environment, segment, value=operator, priority=priority)
