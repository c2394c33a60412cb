"""`identities/`: what one identity is served, what is known of it, and what is stored."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from documents.tests.factories import (
    default_state,
    make_feature,
    make_segment,
    override_for_identity,
    override_for_segment,
)
from engine.hashing import percentage_for
from environments.models import Environment, EnvironmentRevision
from identities.models import Identity
from identities.services import TraitChanges, store_traits
from organisations.models import Organisation
from sdk.tests.answers import flag_of, traits_in

URL = "/api/v1/identities/"


def trait(key: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"trait_key": key, "trait_value": value, **more}


def post(client: APIClient, *traits: dict[str, Any], **body: Any) -> Any:
    response = client.post(URL, {"identifier": "kim", "traits": list(traits), **body}, "json")
    assert response.status_code == 200, response.content
    return response.json()


def post_anything(client: APIClient, body: Any) -> Any:
    """Post a body as ASCII, which can spell what UTF-8 can't."""
    return client.generic("POST", URL, json.dumps(body), content_type="application/json")


def transience(answer: dict[str, Any]) -> dict[str, bool]:
    return {each["trait_key"]: each["transient"] for each in answer["traits"]}


def stored_traits(identifier: str = "kim") -> dict[str, Any]:
    return dict(Identity.objects.get(identifier=identifier).traits)


@pytest.fixture
def stored(environment) -> Identity:
    """An identity with traits."""
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "free", "age": 30})])
    return Identity.objects.get()


# What is answered --------------------------------------------------------------------------------


def test_an_answer_in_full(project, environment, sdk_client):
    feature = make_feature(project, "new_checkout", value="blue", variants={"treatment_a": ("green", 100)})

    answer = post(sdk_client, trait("plan", "pro"))

    assert answer == {
        "identifier": "kim",
        "traits": [{"id": None, "trait_key": "plan", "trait_value": "pro", "transient": False}],
        "flags": [
            {
                "id": default_state(feature, environment).pk,
                "feature": {
                    "id": feature.pk,
                    "name": "new_checkout",
                    "created_date": feature.created_date.isoformat().replace("+00:00", "Z"),
                    "description": None,
                    "initial_value": "blue",
                    "default_enabled": False,
                    "type": "MULTIVARIATE",
                },
                "feature_state_value": "green",
                "environment": environment.pk,
                "identity": None,
                "feature_segment": None,
                "enabled": False,
                "variant": "treatment_a",
            }
        ],
    }


def test_get_and_post_answer_the_same(project, environment, sdk_client, stored):
    make_feature(project, "mv", variants={"a": ("A", 50)})

    got = sdk_client.get(URL, {"identifier": "kim"})

    assert got.json() == post(sdk_client)
    assert got["x-flagsmith-document-updated-at"]


def test_precedence_identity_then_segment_then_default(project, environment, identify):
    feature = make_feature(project, "feature", value="default")
    low, high = make_segment(project, property="plan"), make_segment(project, property="age", value="30")
    override_for_segment(feature, environment, low, priority=1, value="low")
    override_for_segment(feature, environment, high, priority=0, value="high")
    override = override_for_identity(feature, environment, "override", value="identity")

    answers = [
        identify("nobody"),
        identify("pro", plan="pro"),
        identify("both", plan="pro", age=30),
        identify("override", plan="pro", age=30),
    ]

    flags = [flag_of(answer, "feature") for answer in answers]
    assert [flag["feature_state_value"] for flag in flags] == ["default", "low", "high", "identity"]
    assert [flag["identity"] for flag in flags] == [None, None, None, override.identity_id]
    assert flags[3]["id"] == override.pk


def test_a_trait_that_was_just_sent_counts_at_once(project, environment, identify):
    feature = make_feature(project, "feature", value="default")
    override_for_segment(feature, environment, make_segment(project), value="for pros")

    values = [
        flag_of(identify(plan=plan), "feature")["feature_state_value"] for plan in ("free", "pro", "free")
    ]

    assert values == ["default", "for pros", "default"]


@pytest.mark.parametrize(
    ("variants", "weights", "expected"),
    [
        ({"a": ("A", 100)}, None, ("A", "a")),
        ({"": ("A", 100)}, None, ("A", None)),
        ({"a": ("A", 0)}, None, ("own", "control")),
        ({"a": ("A", 100)}, {}, ("override", "control")),
        ({"a": ("A", 100)}, {"a": 0}, ("override", "control")),
        ({"a": ("A", 0)}, {"a": 100}, ("A", "a")),
        (None, {}, ("override", None)),
        (None, None, ("own", None)),
    ],
    ids=[
        "drawn, with a key",
        "drawn, without a key",
        "nothing drawn",
        "override without weights",
        "override that draws nothing",
        "override that draws",
        "override of a standard feature",
        "standard feature",
    ],
)
def test_which_variant_is_answered(project, environment, identify, variants, weights, expected):
    feature = make_feature(project, "feature", value="own", variants=variants)
    if weights is not None:
        override_for_segment(feature, environment, make_segment(project), value="override", weights=weights)

    flag = flag_of(identify(plan="pro"), "feature")

    assert (flag["feature_state_value"], flag["variant"]) == expected


def test_a_pinned_identity_is_given_the_option_and_its_key(project, environment, identify):
    feature = make_feature(project, "feature", value="own", variants={"a": ("A", 0), "b": ("B", 0)})
    override_for_identity(feature, environment, "kim", weights={"b": 100})

    flag = flag_of(identify(), "feature")

    assert (flag["feature_state_value"], flag["variant"]) == ("B", "b")


def test_variants_are_drawn_with_seed_and_composite_key(project, environment, identify):
    feature = make_feature(project, "feature", value="control", variants={"a": ("A", 30), "b": ("B", 30)})
    state = default_state(feature, environment)
    state.hash_seed = 4711
    state.save()

    for number in range(50):
        position = percentage_for(("4711", f"{environment.api_key}_user-{number}"))
        expected = "a" if position < 30 else "b" if position < 60 else "control"
        assert flag_of(identify(f"user-{number}"), "feature")["variant"] == expected


@pytest.mark.parametrize("key", ["identifier", "traits", "flags"])
def test_all_parts_are_always_there(environment, sdk_client, key):
    assert key in post(sdk_client)


def test_sensitive_data_is_blanked(project, environment, identify):
    feature = make_feature(project, "feature", value="default")
    override_for_identity(feature, environment, "kim", value="own")
    Environment.objects.update(hide_sensitive_data=True)

    answer = identify(plan="pro")

    flag = flag_of(answer, "feature")
    assert (answer["identifier"], answer["traits"]) == ("kim", [])
    assert [flag[key] for key in ("id", "environment", "identity", "feature_segment")] == [None] * 4
    assert (flag["feature_state_value"], flag["variant"]) == ("own", None)
    assert stored_traits() == {"plan": "pro"}


def test_a_flag_that_is_disabled_for_all_shows_for_whom_it_is_enabled(project, environment, identify):
    feature = make_feature(project, "feature")
    override_for_identity(feature, environment, "kim", enabled=True)
    Environment.objects.update(hide_disabled_flags=True)

    assert [len(identify(identifier)["flags"]) for identifier in ("kim", "lee")] == [1, 0]


def test_one_flag_by_its_exact_name(project, environment, sdk_client):
    make_feature(project, "Feature", variants={"a": ("A", 100)})

    found, not_found = (
        sdk_client.get(URL, {"identifier": "kim", "feature": name}) for name in ("Feature", "feature")
    )

    assert (found.status_code, found.json()["variant"]) == (200, "a")
    assert (not_found.status_code, not_found.json()) == (404, {"detail": "Given feature not found"})
    assert found["x-flagsmith-document-updated-at"]
    assert not_found["x-flagsmith-document-updated-at"]


# Identifiers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"identifier": ""}, {"identifier": "  "}])
def test_a_get_without_an_identifier_is_200(environment, sdk_client, query):
    response = sdk_client.get(URL, query)

    assert (response.status_code, response.json()) == (200, {"detail": "Missing identifier"})
    assert not Identity.objects.exists()


@pytest.mark.parametrize("identifier", ["a+b", "a/b", "a@b.c", "a b", "é\U0001f600", "%", "a,b", "x" * 2000])
def test_an_identifier_may_be_almost_anything(environment, sdk_client, identifier):
    got = sdk_client.get(URL, {"identifier": identifier}).json()

    assert got["identifier"] == identifier == post(sdk_client, identifier=identifier)["identifier"]
    assert Identity.objects.get().identifier == identifier


def test_blanks_around_an_identifier_do_not_count(environment, sdk_client):
    answers = [sdk_client.get(URL, {"identifier": " kim\n"}).json(), post(sdk_client, identifier="\tkim ")]

    assert [answer["identifier"] for answer in answers] == ["kim", "kim"]
    assert Identity.objects.get().identifier == "kim"


@pytest.mark.parametrize(("given", "identifier"), [(17, "17"), (1.5, "1.5"), (-(10**30), str(-(10**30)))])
def test_a_number_as_identifier_is_its_text(environment, sdk_client, given, identifier):
    assert post(sdk_client, identifier=given)["identifier"] == identifier


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        (True, "Not a valid string."),
        ([], "Not a valid string."),
        ({"a": 1}, "Not a valid string."),
        ("x" * 2001, "Ensure this field has no more than 2000 characters."),
        ("a\0b", "Null characters are not allowed."),
        ("\ud800", "Surrogate characters are not allowed: U+D800."),
    ],
)
def test_an_identifier_that_cannot_be_is_refused(environment, sdk_client, identifier, reason):
    response = post_anything(sdk_client, {"identifier": identifier})

    assert (response.status_code, response.json()) == (400, {"identifier": [reason]})
    assert not Identity.objects.exists()


@pytest.mark.parametrize("query", ["a%00b", "%FF", "%ED%A0%80", "x" * 2001])
def test_an_identifier_in_the_query_is_held_to_the_same(environment, sdk_client, query):
    response = sdk_client.get(f"{URL}?identifier={query}")

    assert response.status_code == 400
    assert list(response.json()) == ["identifier"]
    assert not Identity.objects.exists()


# Nobody in particular ----------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", [None, "", "   "])
def test_the_same_anonymous_traits_give_the_same_identifier(environment, sdk_client, identifier):
    answers = [
        post(sdk_client, trait("plan", "pro"), trait("beta", True), identifier=identifier),
        post(
            sdk_client, trait("beta", True), trait("plan", "pro"), trait("gone", None), identifier=identifier
        ),
    ]

    expected = "7867c374fe429f3087b3b1153f08b6808451a51a2b0cb17b1ea03cff77daaf83"
    assert [answer["identifier"] for answer in answers] == [expected, expected]
    assert transience(answers[0]) == {"plan": True, "beta": True}
    assert not Identity.objects.exists()


def test_the_identifier_is_made_of_the_values_as_python_writes_them(environment, sdk_client):
    answer = post(
        sdk_client, trait("d", 1.0), trait("c", 1), trait("b", "x"), trait("a", False), identifier=None
    )

    assert answer["identifier"] == hashlib.sha256(b"aFalsebxc1d1.0").hexdigest()


def test_nobody_without_traits_is_someone_else_each_time(environment, sdk_client):
    identifiers = {post(sdk_client, identifier=None)["identifier"] for _ in range(3)}

    assert len(identifiers) == 3
    assert all(len(identifier) == 32 and int(identifier, 16) >= 0 for identifier in identifiers)
    assert not Identity.objects.exists()


def test_traits_of_nobody_count(project, environment, sdk_client):
    feature = make_feature(project, "feature", value="default")
    override_for_segment(feature, environment, make_segment(project), value="for pros")

    answer = post(sdk_client, trait("plan", "pro"), identifier=None)

    assert flag_of(answer, "feature")["feature_state_value"] == "for pros"


def test_a_body_may_be_missing(environment, sdk_client):
    assert sdk_client.post(URL).status_code == 200


# What is evaluated and what is stored ------------------------------------------------------------


def test_a_plain_get_stores_the_identity(environment, sdk_client):
    sdk_client.get(URL, {"identifier": "kim"})

    assert Identity.objects.get().identifier == "kim"


def test_a_new_identity_is_stored_with_its_lasting_traits(environment, sdk_client):
    answer = post(sdk_client, trait("plan", "pro"), trait("here", 1, transient=True), trait("nothing", None))

    assert traits_in(answer) == {"plan": "pro", "here": 1}
    assert transience(answer) == {"plan": False, "here": True}
    assert stored_traits() == {"plan": "pro"}


def test_traits_are_laid_over_the_stored_ones(environment, sdk_client, stored):
    answer = post(sdk_client, trait("plan", "pro"), trait("age", None), trait("new", 1.0))

    assert traits_in(answer) == {"plan": "pro", "new": 1.0}
    assert isinstance(traits_in(answer)["new"], float)
    assert stored_traits() == {"plan": "pro", "new": 1.0}


def test_an_organisation_may_store_no_traits(environment, sdk_client, stored):
    Organisation.objects.update(persist_trait_data=False)

    answer = post(sdk_client, trait("plan", "pro"), trait("age", None))
    post(sdk_client, trait("plan", "pro"), identifier="new")

    assert traits_in(answer) == {"plan": "pro"}
    assert stored_traits() == {"plan": "free", "age": 30}
    assert stored_traits("new") == {}


def test_a_transient_identity_is_read_and_not_written(project, environment, sdk_client, stored):
    feature = make_feature(project, "feature", value="default")
    override_for_identity(feature, environment, "kim", value="own")

    answer = post(sdk_client, trait("plan", "pro"), trait("age", None), transient=True)
    got = sdk_client.get(URL, {"identifier": "kim", "transient": "true"}).json()

    assert traits_in(answer) == {"plan": "pro"}
    assert transience(answer) == {"plan": True}
    assert traits_in(got) == {"plan": "free", "age": 30}
    assert [flag_of(each, "feature")["feature_state_value"] for each in (answer, got)] == ["own", "own"]
    assert stored_traits() == {"plan": "free", "age": 30}


def test_a_transient_identity_that_is_not_stored_stays_so(environment, sdk_client):
    answer = post(sdk_client, trait("plan", "pro"), transient=True)

    assert transience(answer) == {"plan": True}
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("transient", "is_stored"),
    [("true", False), ("1", False), ("YES", False), ("false", True), ("0", True), ("", True), ("x", True)],
)
def test_whether_a_get_is_transient(environment, sdk_client, transient, is_stored):
    sdk_client.get(URL, {"identifier": "kim", "transient": transient})

    assert Identity.objects.exists() == is_stored


def test_a_transient_trait_hides_the_stored_one_and_leaves_it(environment, sdk_client, stored):
    answer = post(
        sdk_client, trait("plan", "pro", transient=True), trait("age", None, transient=True), trait("a", 1)
    )

    assert traits_in(answer) == {"plan": "pro", "a": 1}
    assert transience(answer) == {"plan": True, "a": False}
    assert stored_traits() == {"plan": "free", "age": 30, "a": 1}


@pytest.mark.parametrize("transient", [False, True])
def test_where_clients_set_no_traits_theirs_are_ignored(environment, sdk_client, stored, transient):
    Environment.objects.update(allow_client_traits=False)

    answer = post(sdk_client, trait("plan", "pro"), trait("x", 1, transient=True), transient=transient)

    assert traits_in(answer) == {"plan": "free", "age": 30}
    assert stored_traits() == {"plan": "free", "age": 30}


def test_where_clients_set_no_traits_servers_do(environment, server_sdk_client):
    Environment.objects.update(allow_client_traits=False)

    assert traits_in(post(server_sdk_client, trait("plan", "pro"))) == {"plan": "pro"}


def test_where_clients_set_no_traits_nobody_is_known_by_them(environment, sdk_client):
    Environment.objects.update(allow_client_traits=False)

    answers = [post(sdk_client, trait("plan", "pro"), identifier=None) for _ in range(2)]

    assert answers[0]["identifier"] != answers[1]["identifier"]
    assert answers[0]["traits"] == []


def test_of_two_traits_with_one_key_the_later_counts(environment, sdk_client):
    answer = post(sdk_client, trait("plan", "free"), trait("plan", "pro"))

    assert traits_in(answer) == stored_traits() == {"plan": "pro"}


def test_an_identity_is_one_of_its_environment(project, environment, sdk_client, stored):
    other = Environment.objects.create(project=project, name="Staging")

    answer = post(APIClient(headers={"X-Environment-Key": other.api_key}))

    assert answer["traits"] == []
    assert Identity.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_64_first_posts_at_once_all_succeed_and_the_union_is_stored(environment, feature):
    def identify(number: int) -> Any:
        client = APIClient(headers={"X-Environment-Key": environment.api_key})
        body = {"identifier": "kim", "traits": [trait(f"trait{number}", number)]}
        try:
            return client.post(URL, body, "json")
        finally:
            connection.close()

    with ThreadPoolExecutor(64) as pool:
        responses = list(pool.map(identify, range(64)))

    assert [response.status_code for response in responses] == [200] * 64
    assert all(traits_in(each.json())[f"trait{number}"] == number for number, each in enumerate(responses))
    assert stored_traits() == {f"trait{number}": number for number in range(64)}


@pytest.mark.django_db(transaction=True)
def test_nothing_of_this_raises_a_revision(environment, feature, sdk_client):
    before = EnvironmentRevision.objects.get(environment_id=environment.pk).nonce

    post(sdk_client, trait("plan", "pro"))
    sdk_client.get(URL, {"identifier": "lee"})

    assert EnvironmentRevision.objects.get(environment_id=environment.pk).nonce == before


# Values and errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["", "text", " blanks ", 0, -1, 2**31, 2**63 - 1, -(2**63), 1.0, 1e20, 0.1, True, False, "\u202e&<é"],
)
def test_a_value_comes_back_as_it_went_in(environment, sdk_client, value):
    answers = [post(sdk_client, trait("key", value)), post(sdk_client)]

    for answer in answers:
        answered = traits_in(answer)["key"]
        assert (type(answered), answered) == (type(value), value)


@pytest.mark.parametrize(
    ("value", "answered"),
    [(2**63, str(2**63)), ({"a": [1, None]}, '{"a":[1,null]}'), ([], "[]"), (["é"], '["é"]')],
)
def test_what_no_trait_can_be_is_answered_as_text(environment, sdk_client, value, answered):
    assert traits_in(post(sdk_client, trait("key", value))) == {"key": answered}


@pytest.mark.parametrize("transient", [None, False, "false", 0])
def test_null_is_no_transience(environment, sdk_client, transient):
    post(sdk_client, trait("plan", "pro", transient=transient), transient=transient)

    assert stored_traits() == {"plan": "pro"}


def test_null_is_no_traits(environment, sdk_client):
    assert sdk_client.post(URL, {"identifier": "kim", "traits": None}, "json").json()["traits"] == []


REQUIRED = ["This field is required."]
TOO_LONG = ["Value string is too long. Must be less than 2000 character"]
KEY_TOO_LONG = ["Ensure this field has no more than 200 characters."]
NOT_BLANK = ["This field may not be blank."]
NO_NUL = ["Null characters are not allowed."]


@pytest.mark.parametrize(
    ("bad", "errors"),
    [
        (trait("a", "x" * 2001), {"trait_value": TOO_LONG}),
        (trait("a", 10**2001), {"trait_value": TOO_LONG}),
        (trait("a", ["x" * 2000]), {"trait_value": TOO_LONG}),
        (trait("a", "\0"), {"trait_value": NO_NUL}),
        (trait("a", "\udfff"), {"trait_value": ["Surrogate characters are not allowed: U+DFFF."]}),
        (trait("", 1), {"trait_key": NOT_BLANK}),
        (trait("  ", 1), {"trait_key": NOT_BLANK}),
        (trait("k" * 201, 1), {"trait_key": KEY_TOO_LONG}),
        (trait("a\0", 1), {"trait_key": NO_NUL}),
        (trait([], 1), {"trait_key": ["Not a valid string."]}),  # type: ignore[arg-type]
        (trait(None, 1), {"trait_key": ["This field may not be null."]}),  # type: ignore[arg-type]
        ({"trait_key": "a"}, {"trait_value": REQUIRED}),
        ({"trait_value": 1}, {"trait_key": REQUIRED}),
        ({}, {"trait_key": REQUIRED, "trait_value": REQUIRED}),
        (trait("a", 1, transient="perhaps"), {"transient": ["Must be a valid boolean."]}),
        (trait("a", 1, transient=[]), {"transient": ["Must be a valid boolean."]}),
        ("text", {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}),
    ],
)
def test_a_bad_trait_rejects_all_and_stands_at_its_place(environment, sdk_client, bad, errors):
    good = trait("good", 1)

    response = post_anything(sdk_client, {"identifier": "kim", "traits": [good, bad, good]})

    assert (response.status_code, response.json()) == (400, {"traits": [{}, errors, {}]})
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ("kim", {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}),
        ({"traits": {}}, {"traits": ['Expected a list of items but got type "dict".']}),
        ({"traits": "x"}, {"traits": ['Expected a list of items but got type "str".']}),
        (
            {"identifier": [], "transient": {}, "traits": [1]},
            {
                "identifier": ["Not a valid string."],
                "transient": ["Must be a valid boolean."],
                "traits": [{"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}],
            },
        ),
    ],
)
def test_a_body_of_the_wrong_shape_is_told_what_is_wrong(environment, sdk_client, body, errors):
    response = sdk_client.post(URL, body, "json")

    assert (response.status_code, response.json()) == (400, errors)


@pytest.mark.parametrize(
    "body",
    [b"{", b"NaN", b'{"identifier": Infinity}', b'{"identifier": 1e400}', b"\xff", b"[" * 10_000],
)
def test_what_is_no_json_is_a_parse_error(environment, sdk_client, body):
    response = sdk_client.generic("POST", URL, body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error - ")


def test_a_value_nested_as_deep_as_the_parser_goes_does_no_harm(environment, sdk_client):
    for depth in (100, 500, 800, 900, 950):
        nested = "[" * depth + "]" * depth
        body = f'{{"identifier": "kim", "traits": [{{"trait_key": "a", "trait_value": {nested}}}]}}'

        response = sdk_client.generic("POST", URL, body, content_type="application/json")

        assert response.status_code in {200, 400}


def test_an_unknown_content_type_is_415(environment, sdk_client):
    response = sdk_client.generic("POST", URL, "<a/>", content_type="application/xml")

    assert (response.status_code, list(response.json())) == (415, ["detail"])


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_405(environment, sdk_client, method):
    response = getattr(sdk_client, method)(URL)

    assert response.status_code == 405
    assert response.json() == {"detail": f'Method "{method.upper()}" not allowed.'}


# Many at once ------------------------------------------------------------------------------------

BULK = "/api/v1/bulk-identities/"


def test_many_identities_are_answered_in_their_order(project, environment, sdk_client, stored):
    make_feature(project, "mv", variants={"a": ("A", 50)})
    items = [
        {"identifier": "lee", "traits": [trait("plan", "pro")]},
        {"identifier": "kim", "transient": True, "traits": [trait("plan", "pro")]},
        {"traits": [trait("plan", "pro"), trait("beta", True)]},
        {"identifier": "bare"},
        {"identifier": "lee", "traits": [trait("age", 1)]},
    ]

    response = sdk_client.post(BULK, {"data": items}, "json")

    answers = response.json()
    assert response.status_code == 200
    assert [answer["identifier"][:8] for answer in answers] == ["lee", "kim", "7867c374", "bare", "lee"]
    assert traits_in(answers[1]) == {"plan": "pro", "age": 30}
    assert traits_in(answers[4]) == {"plan": "pro", "age": 1}
    assert answers[3] == post(sdk_client, identifier="bare")
    assert {each.identifier: each.traits for each in Identity.objects.all()} == {
        "kim": {"plan": "free", "age": 30},
        "lee": {"plan": "pro", "age": 1},
        "bare": {},
    }


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"data": REQUIRED}),
        ({"data": {}}, {"data": ['Expected a list of items but got type "dict".']}),
        ({"data": [{}] * 101}, {"data": ["Ensure this field has no more than 100 elements."]}),
        ({"data": [{}, {"identifier": []}]}, {"data": [{}, {"identifier": ["Not a valid string."]}]}),
        (
            {"data": [{"traits": [{}, trait("a", 1)]}]},
            {"data": [{"traits": [{"trait_key": REQUIRED, "trait_value": REQUIRED}, {}]}]},
        ),
    ],
)
def test_one_bad_item_rejects_all(environment, sdk_client, body, errors):
    response = sdk_client.post(BULK, body, "json")

    assert (response.status_code, response.json()) == (400, errors)
    assert not Identity.objects.exists()
