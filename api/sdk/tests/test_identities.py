"""`identities/`: what one identity is served, and who is asked for."""

import hashlib

import pytest

from documents.tests.factories import (
    default_state,
    make_feature,
    make_segment,
    override_for_identity,
    override_for_segment,
)
from engine.hashing import percentage_for
from environments.models import Environment
from identities.models import Identity
from sdk.tests.answers import (
    IDENTITIES,
    flag_of,
    post,
    post_anything,
    stored_traits,
    trait,
    transience,
)

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

    got = sdk_client.get(IDENTITIES, {"identifier": "kim"})

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
        sdk_client.get(IDENTITIES, {"identifier": "kim", "feature": name}) for name in ("Feature", "feature")
    )

    assert (found.status_code, found.json()["variant"]) == (200, "a")
    assert (not_found.status_code, not_found.json()) == (404, {"detail": "Given feature not found"})
    assert found["x-flagsmith-document-updated-at"]
    assert not_found["x-flagsmith-document-updated-at"]


# Identifiers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"identifier": ""}, {"identifier": "  "}])
def test_a_get_without_an_identifier_is_200(environment, sdk_client, query):
    response = sdk_client.get(IDENTITIES, query)

    assert (response.status_code, response.json()) == (200, {"detail": "Missing identifier"})
    assert not Identity.objects.exists()


@pytest.mark.parametrize("identifier", ["a+b", "a/b", "a@b.c", "a b", "é\U0001f600", "%", "a,b", "x" * 2000])
def test_an_identifier_may_be_almost_anything(environment, sdk_client, identifier):
    got = sdk_client.get(IDENTITIES, {"identifier": identifier}).json()

    assert got["identifier"] == identifier == post(sdk_client, identifier=identifier)["identifier"]
    assert Identity.objects.get().identifier == identifier


def test_blanks_around_an_identifier_do_not_count(environment, sdk_client):
    answers = [
        sdk_client.get(IDENTITIES, {"identifier": " kim\n"}).json(),
        post(sdk_client, identifier="\tkim "),
    ]

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
    response = sdk_client.get(f"{IDENTITIES}?identifier={query}")

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
    assert sdk_client.post(IDENTITIES).status_code == 200
