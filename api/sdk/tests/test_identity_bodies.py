"""Bodies of `identities/` and `bulk-identities/`: values that come back as they went in, and refusals."""

import pytest

from documents.tests.factories import (
    make_feature,
)
from identities.models import Identity
from sdk.tests.answers import IDENTITIES, post, post_anything, stored_traits, trait, traits_in

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
    assert sdk_client.post(IDENTITIES, {"identifier": "kim", "traits": None}, "json").json()["traits"] == []


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
    response = sdk_client.post(IDENTITIES, body, "json")

    assert (response.status_code, response.json()) == (400, errors)


@pytest.mark.parametrize(
    "body",
    [b"{", b"NaN", b'{"identifier": Infinity}', b'{"identifier": 1e400}', b"\xff", b"[" * 10_000],
)
def test_what_is_no_json_is_a_parse_error(environment, sdk_client, body):
    response = sdk_client.generic("POST", IDENTITIES, body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error - ")


def test_a_value_nested_as_deep_as_the_parser_goes_does_no_harm(environment, sdk_client):
    for depth in (100, 500, 800, 900, 950):
        nested = "[" * depth + "]" * depth
        body = f'{{"identifier": "kim", "traits": [{{"trait_key": "a", "trait_value": {nested}}}]}}'

        response = sdk_client.generic("POST", IDENTITIES, body, content_type="application/json")

        assert response.status_code in {200, 400}


def test_an_unknown_content_type_is_415(environment, sdk_client):
    response = sdk_client.generic("POST", IDENTITIES, "<a/>", content_type="application/xml")

    assert (response.status_code, list(response.json())) == (415, ["detail"])


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_405(environment, sdk_client, method):
    response = getattr(sdk_client, method)(IDENTITIES)

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
