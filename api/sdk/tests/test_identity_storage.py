"""What is known of an identity, and what of a request is stored: the contract's table, row by row."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from documents.tests.factories import (
    make_feature,
    override_for_identity,
)
from environments.models import Environment, EnvironmentRevision
from identities.models import Identity
from organisations.models import Organisation
from sdk.tests.answers import IDENTITIES, flag_of, post, stored_traits, trait, traits_in, transience


def test_a_plain_get_stores_the_identity(environment, sdk_client):
    sdk_client.get(IDENTITIES, {"identifier": "kim"})

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
    got = sdk_client.get(IDENTITIES, {"identifier": "kim", "transient": "true"}).json()

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
    sdk_client.get(IDENTITIES, {"identifier": "kim", "transient": transient})

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
            return client.post(IDENTITIES, body, "json")
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
    sdk_client.get(IDENTITIES, {"identifier": "lee"})

    assert EnvironmentRevision.objects.get(environment_id=environment.pk).nonce == before
