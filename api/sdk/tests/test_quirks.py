"""What real clients rely on: one test for each quirk of the Flagsmith SDK contract, by its number.

Not here: 6 (analytics, tested beside its endpoint), and what belongs to streams (27, 35 and their part of 26,
in `test_stream_events`).
"""

import re
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.utils.http import http_date
from rest_framework.test import APIClient

from documents.tests.factories import (
    default_state,
    make_feature,
    make_segment,
    override_for_identity,
    override_for_segment,
)
from engine.hashing import percentage_for
from environments.models import Environment
from features.models import FeatureState, MultivariateFeatureStateValue
from identities.models import Identity
from sdk.tests.answers import flag_of, names_in, traits_in
from segments.models import Operator

FLAGS, IDENTITIES = "/api/v1/flags/", "/api/v1/identities/"
DOCUMENT = "/api/v1/environment-document/"


@pytest.fixture
def matches(project, environment, identify):
    """Return whether an identity with a trait, or without it, is in a segment: `matches("EQUAL", "5", 5)`."""
    counted = iter(range(1000))

    def is_in(operator: str, value: str | None, trait: Any = ..., *, identifier: str = "kim") -> bool:
        number = next(counted)
        segment = make_segment(project, property="trait", operator=operator, value=value)
        feature = make_feature(project, f"feature_of_{number}")
        override_for_segment(feature, environment, segment, value="matched")
        traits = {} if trait is ... else {"trait": trait}
        answer = identify(f"{identifier}-{number}", **traits)
        return bool(flag_of(answer, feature.name)["feature_state_value"] == "matched")

    return is_in


def test_quirk_1_bad_keys_are_403_with_a_detail(db):
    response = APIClient(headers={"X-Environment-Key": "unknown"}).get(FLAGS)

    assert (response.status_code, list(response.json())) == (403, ["detail"])


def test_quirk_2_a_get_without_an_identifier_is_200(sdk_client):
    response = sdk_client.get(IDENTITIES)

    assert (response.status_code, response.json()) == (200, {"detail": "Missing identifier"})


def test_quirk_3_a_feature_is_found_in_any_case_in_flags_and_exactly_in_identities(feature, sdk_client):
    statuses = [
        sdk_client.get(path, {"identifier": "kim", "feature": name}).status_code
        for path in (FLAGS, IDENTITIES)
        for name in ("new_checkout", "NEW_CHECKOUT")
    ]

    assert statuses == [200, 200, 200, 404]
    for path in (FLAGS, IDENTITIES):
        assert isinstance(sdk_client.get(path, {"identifier": "kim", "feature": "new_checkout"}).json(), dict)


def test_quirk_4_flags_are_a_bare_array_and_nothing_pages(project, environment, server_sdk_client):
    features = [make_feature(project) for _ in range(30)]
    for number, feature in enumerate(features):
        override_for_identity(feature, environment, f"user-{number}")
    pages = {"page": 2, "page_size": 1, "page_id": "x", "identifier": "kim"}

    answers = [server_sdk_client.get(path, pages).json() for path in (FLAGS, IDENTITIES, DOCUMENT)]

    assert isinstance(answers[0], list)
    assert [len(answers[0]), len(answers[1]["flags"]), len(answers[2]["feature_states"])] == [30] * 3
    assert len(answers[2]["identity_overrides"]) == 30


def test_quirk_5_success_is_exactly_200(environment, server_sdk_client):
    trait = {"identity": {"identifier": "kim"}, "trait_key": "plan", "trait_value": "pro"}
    increment = {"identifier": "kim", "trait_key": "logins", "increment_by": 1}

    responses = [
        server_sdk_client.get(FLAGS),
        server_sdk_client.get(IDENTITIES, {"identifier": "new"}),
        server_sdk_client.post(IDENTITIES, {"identifier": "newer"}, "json"),
        server_sdk_client.post("/api/v1/traits/", trait, "json"),
        server_sdk_client.put("/api/v1/traits/bulk/", [trait], "json"),
        server_sdk_client.post("/api/v1/traits/increment-value/", increment, "json"),
        server_sdk_client.get(DOCUMENT),
    ]

    assert [response.status_code for response in responses] == [200] * 7


def test_quirk_7_feature_segment_is_null_always(project, environment, identify):
    feature = make_feature(project, "feature")
    override_for_segment(feature, environment, make_segment(project), value="override")

    flag = flag_of(identify(plan="pro"), "feature")

    assert (flag["feature_state_value"], flag["feature_segment"]) == ("override", None)


def test_quirk_8_a_null_deletes_and_is_never_answered(environment, identify):
    identify(plan="pro", age=3)

    answers = [identify(plan=None), identify()]

    assert [traits_in(answer) for answer in answers] == [{"age": 3}, {"age": 3}]


def test_quirk_9_transient_tells_the_truth_so_that_it_can_be_sent_back(environment, sdk_client):
    first = sdk_client.post(
        IDENTITIES,
        {
            "identifier": "kim",
            "traits": [
                {"trait_key": "plan", "trait_value": "pro"},
                {"trait_key": "here", "trait_value": "now", "transient": True},
            ],
        },
        "json",
    ).json()

    sdk_client.post(IDENTITIES, {"identifier": "kim", "traits": first["traits"]}, "json")

    assert Identity.objects.get().traits == {"plan": "pro"}


def test_quirk_10_a_generated_identifier_that_comes_back_is_stored(environment, identify):
    generated = identify(None, plan="pro")["identifier"]
    assert not Identity.objects.exists()

    identify(generated, plan="pro")

    assert Identity.objects.get().identifier == generated


def test_quirk_11_the_same_anonymous_traits_draw_the_same_variant(project, environment, identify):
    make_feature(project, "mv", variants={"a": ("A", 50)})

    drawn = [
        {flag_of(identify(None, number=number), "mv")["variant"] for _ in range(3)} for number in range(20)
    ]

    assert {len(variants) for variants in drawn} == {1}
    assert set.union(*drawn) == {"a", "control"}


def test_quirk_12_a_plain_get_stores_the_identity(environment, sdk_client):
    sdk_client.get(IDENTITIES, {"identifier": "kim"})

    assert Identity.objects.get().identifier == "kim"


def test_quirk_13_refused_traits_do_not_change_the_status(environment, sdk_client):
    Environment.objects.update(allow_client_traits=False)

    response = sdk_client.post(
        IDENTITIES, {"identifier": "kim", "traits": [{"trait_key": "a", "trait_value": 1}]}, "json"
    )

    assert (response.status_code, response.json()["traits"]) == (200, [])


def test_quirk_14_text_that_looks_like_a_number_compares_as_one(matches):
    assert matches(Operator.GREATER_THAN, "5", "10")
    assert matches(Operator.EQUAL, "7", "007")
    assert matches(Operator.EQUAL, "30", "30.0")


def test_quirk_15_a_failed_cast_and_an_unset_trait_make_every_comparison_false(matches):
    assert not matches(Operator.NOT_EQUAL, "abc", 5)
    assert not matches(Operator.NOT_EQUAL, "abc")
    assert not matches(Operator.NOT_CONTAINS, "abc")
    assert matches(Operator.IS_NOT_SET, None)


@pytest.mark.parametrize(
    ("value", "is_true"),
    [("false", False), ("False", False), ("true", True), ("0", True), ("", True), ("FALSE", True)],
)
def test_quirk_16_only_false_is_false(matches, value, is_true):
    assert matches(Operator.EQUAL, value, True) is is_true


def test_quirk_17_a_split_includes_its_bound_and_a_variant_does_not(project, environment, identify):
    identifiers = [f"user-{number}" for number in range(30)]
    segment = make_segment(project, property=None, operator=Operator.PERCENTAGE_SPLIT, value="0")
    split = make_feature(project, "split")
    override_for_segment(split, environment, segment, value="in")
    in_split = {
        each: percentage_for((str(segment.pk), f"{environment.api_key}_{each}")) for each in identifiers
    }
    bound = sorted(in_split.values())[14]
    segment.rules.get(parent__isnull=False).conditions.update(value=repr(bound))
    mv = make_feature(project, "mv", value="control", variants={"a": ("A", 10)})
    state = default_state(mv, environment)
    positions = {
        each: percentage_for((str(state.pk), f"{environment.api_key}_{each}")) for each in identifiers
    }
    weight = sorted(positions.values())[14]
    MultivariateFeatureStateValue.objects.update(percentage_allocation=weight)

    answers = {identifier: identify(identifier) for identifier in identifiers}

    assert {each for each in identifiers if flag_of(answers[each], "split")["enabled"]} == {
        each for each, position in in_split.items() if position <= bound
    }
    assert {each for each in identifiers if flag_of(answers[each], "mv")["variant"] == "a"} == {
        each for each, position in positions.items() if position < weight
    }


def test_quirk_18_variants_lie_in_the_order_of_their_allocations_and_the_seed_draws(
    project, environment, identify
):
    feature = make_feature(project, "mv", variants={"a": ("A", 50), "b": ("B", 50)})
    state = default_state(feature, environment)
    FeatureState.objects.filter(pk=state.pk).update(hash_seed=12345)
    # The allocation of the first option is made anew, so it comes last.
    first = state.multivariate_feature_state_values.get(multivariate_feature_option__key="a")
    option = first.multivariate_feature_option
    first.delete()
    state.multivariate_feature_state_values.create(
        multivariate_feature_option=option, percentage_allocation=50
    )

    for number in range(30):
        position = percentage_for(("12345", f"{environment.api_key}_user-{number}"))
        assert flag_of(identify(f"user-{number}"), "mv")["variant"] == ("b" if position < 50 else "a")


@pytest.mark.parametrize(
    ("trait", "value", "is_in"),
    [
        ("a", "a,b", True),
        ("b", "a, b", False),
        (1, "1,2", True),
        (True, "true,True,1", False),
        (1.5, "1.5", False),
    ],
)
def test_quirk_19_in_neither_trims_nor_takes_booleans_or_floats(matches, trait, value, is_in):
    assert matches(Operator.IN, value, trait) is is_in


def test_quirk_19_numbers_neither_contain_nor_lack_a_text(matches):
    assert not matches(Operator.NOT_CONTAINS, "5", 17)


@pytest.mark.parametrize(("pattern", "matched"), [("a", True), ("ab", True), ("b", False), (".*c$", True)])
def test_quirk_20_a_pattern_is_anchored_at_the_start(matches, pattern, matched):
    assert matches(Operator.REGEX, pattern, "abc") is matched


def test_quirk_21_the_lower_priority_wins_and_replaces_everything(project, environment, identify):
    feature = make_feature(project, "mv", value="default", enabled=True, variants={"a": ("A", 100)})
    override_for_segment(feature, environment, make_segment(project), priority=5, value="five")
    override_for_segment(feature, environment, make_segment(project), priority=2, value="two", enabled=False)

    flag = flag_of(identify(plan="pro"), "mv")

    assert (flag["enabled"], flag["feature_state_value"], flag["variant"]) == (False, "two", "control")


def test_quirk_22_disabled_flags_are_hidden_after_overrides_and_never_in_the_document(
    project, environment, identify, server_sdk_client
):
    feature = make_feature(project, "feature")
    override_for_segment(feature, environment, make_segment(project), enabled=True)
    Environment.objects.update(hide_disabled_flags=True)

    assert names_in(identify("pro", plan="pro")) == ["feature"]
    assert names_in(identify("free", plan="free")) == []
    assert len(server_sdk_client.get(DOCUMENT).json()["feature_states"]) == 1


def test_quirk_23_the_document_has_all_features_and_is_for_servers(
    project, environment, sdk_client, server_sdk_client
):
    make_feature(project, "secret", is_server_key_only=True)
    make_feature(project, "off")

    document = server_sdk_client.get(DOCUMENT).json()

    assert names_in(document["feature_states"]) == ["secret", "off"]
    assert sdk_client.get(DOCUMENT).status_code == 403


def test_quirk_24_the_document_is_complete_even_when_there_is_nothing(environment, server_sdk_client):
    document = server_sdk_client.get(DOCUMENT).json()

    assert (
        document["feature_states"] == document["identity_overrides"] == document["project"]["segments"] == []
    )
    assert {"id", "name", "stop_serving_flags", "persist_trait_data", "feature_analytics"} <= set(
        document["project"]["organisation"]
    )
    assert document["project"]["hide_disabled_flags"] is False
    assert datetime.fromisoformat(document["updated_at"]).tzinfo


def test_quirk_25_the_api_key_of_the_document_is_the_client_side_one(environment, server_sdk_client):
    assert server_sdk_client.get(DOCUMENT).json()["api_key"] == environment.api_key


@pytest.mark.django_db(transaction=True)
def test_quirk_26_updated_at_is_one_value(environment, feature, server_sdk_client):
    document = server_sdk_client.get(DOCUMENT)
    headers = {
        response["x-flagsmith-document-updated-at"]
        for response in (
            document,
            server_sdk_client.get(FLAGS),
            server_sdk_client.get(IDENTITIES, {"identifier": "kim"}),
        )
    }

    written = datetime.fromisoformat(document.json()["updated_at"])
    assert headers == {str(written.timestamp())}
    assert re.fullmatch(r"\d+\.\d{1,6}", headers.pop())
    assert document["Last-Modified"] == http_date(int(written.timestamp()))


def test_quirk_28_browsers_may_read_when_the_environment_changed(environment, sdk_client):
    response = sdk_client.get(FLAGS, headers={"Origin": "https://shop.example"})

    assert response["Access-Control-Allow-Origin"] == "*"
    exposed = response["Access-Control-Expose-Headers"].lower().split(", ")
    assert {"x-flagsmith-document-updated-at", "etag", "retry-after", "flagsmith-version"} <= set(exposed)


@pytest.mark.parametrize(
    "header",
    [
        "accept",
        "authorization",
        "content-type",
        "user-agent",
        "x-csrftoken",
        "x-requested-with",
        "x-environment-key",
        "x-e2e-test-auth-token",
        "flagsmith-application-name",
        "flagsmith-application-version",
        "flagsmith-sdk-user-agent",
        "sentry-trace",
        "traceparent",
        "tracestate",
        "baggage",
        "if-none-match",
        "x-api-key",
        "cache-control",
    ],
)
def test_quirk_29_every_header_passes_a_preflight_without_a_key(db, header):
    for path in (FLAGS, IDENTITIES, "/api/v1/traits/"):
        response = APIClient().options(
            path,
            headers={
                "Origin": "https://shop.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": header,
            },
        )

        assert response.status_code in {200, 204}
        assert header in response["Access-Control-Allow-Headers"].lower().split(", ")
        assert int(response["Access-Control-Max-Age"]) > 0


def test_quirk_30_names_are_answered_as_they_are_written(project, environment, sdk_client):
    make_feature(project, "New Checkout")
    make_feature(project, "new_checkout")

    assert names_in(sdk_client.get(FLAGS).json()) == ["New Checkout", "new_checkout"]


@pytest.mark.parametrize("identifier", ["a,b", "00123", "1.5", "7"])
def test_quirk_31_here_any_identifier_is_given_its_override(project, environment, identify, identifier):
    feature = make_feature(project, "feature", value="default")
    override_for_identity(feature, environment, identifier, value="own")

    assert flag_of(identify(identifier), "feature")["feature_state_value"] == "own"


def test_quirk_32_ids_are_positive_and_fit_31_bits():
    assert settings.DEFAULT_AUTO_FIELD == "django.db.models.AutoField"


def test_quirk_32_ids_in_answers_are_positive(project, environment, identify, server_sdk_client):
    feature = make_feature(project, variants={"a": ("A", 10)})
    override_for_identity(feature, environment, "kim", weights={"a": 100})

    def ids(value: Any) -> list[int]:
        if isinstance(value, list):
            return [each for item in value for each in ids(item)]
        if isinstance(value, dict):
            own = [each for key, each in value.items() if key in {"id", "django_id"} and each is not None]
            return own + [each for item in value.values() for each in ids(item)]
        return []

    found = ids(identify()) + ids(server_sdk_client.get(DOCUMENT).json())

    assert len(found) > 10
    assert all(0 < each < 2**31 for each in found)


def test_quirk_33_sdk_endpoints_are_not_throttled(environment, sdk_client):
    assert {sdk_client.get(FLAGS).status_code for _ in range(50)} == {200}


def test_quirk_34_ofrep_leaves_values_out_and_nothing_else(project, environment, sdk_client):
    for name, enabled, value in (("on", True, None), ("off", False, "hidden"), ("text", True, "shown")):
        make_feature(project, name, enabled=enabled, value=value)

    response = sdk_client.post("/ofrep/v1/evaluate/flags")  # without a slash
    late = sdk_client.post("/ofrep/v1/evaluate/flags", headers={"X-Burgee-Min-Revision": "1000000"})

    assert response.status_code == 200
    assert [sorted(flag) for flag in response.json()["flags"]] == [
        ["key", "metadata", "reason", "value", "variant"],
        ["key", "metadata", "reason", "variant"],
        ["key", "metadata", "reason", "value", "variant"],
    ]
    assert re.fullmatch("[1-9][0-9]*", late["Retry-After"])
