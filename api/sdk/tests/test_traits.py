"""`traits/` and its relatives: setting traits without reading flags."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from environments.models import Environment
from identities.batches import TraitChanges
from identities.models import Identity
from identities.services import store_traits
from organisations.models import Organisation

ONE, MANY, INCREMENT = "/api/v1/traits/", "/api/v1/traits/bulk/", "/api/v1/traits/increment-value/"


def trait(value: Any, key: str = "plan", identifier: str = "kim") -> dict[str, Any]:
    return {"identity": {"identifier": identifier}, "trait_key": key, "trait_value": value}


def stored() -> dict[str, dict[str, Any]]:
    return dict(Identity.objects.values_list("identifier", "traits"))


REQUESTS = [
    ("post", ONE, trait("pro")),
    ("put", MANY, [trait("pro")]),
    ("post", INCREMENT, {"identifier": "kim", "trait_key": "logins", "increment_by": 1}),
    ("post", "/api/v1/identities/kim/traits/plan", {"trait_value": "pro"}),
]


def test_one_trait_is_set_and_echoed(environment, sdk_client):
    response = sdk_client.post(ONE, trait("pro"), "json")

    assert response.status_code == 200
    assert response.json() == {
        "identity": {"identifier": "kim"},
        "trait_value": "pro",
        "trait_key": "plan",
    }
    assert stored() == {"kim": {"plan": "pro"}}


@pytest.mark.parametrize("value", [True, 0, 1.0, -7, "", "text", 1e20])
def test_a_trait_keeps_its_type(environment, sdk_client, value):
    sdk_client.post(ONE, trait(value), "json")

    answer = sdk_client.get("/api/v1/identities/", {"identifier": "kim"}).json()
    assert (type(answer["traits"][0]["trait_value"]), answer["traits"][0]["trait_value"]) == (
        type(value),
        value,
    )


REQUIRED = ["This field is required."]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"identity": REQUIRED, "trait_key": REQUIRED, "trait_value": REQUIRED}),
        (trait(None), {"trait_value": ["This field may not be null."]}),
        (trait("x" * 2001), {"trait_value": ["Value string is too long. Must be less than 2000 character"]}),
        (trait("pro", key=""), {"trait_key": ["This field may not be blank."]}),
        (trait("pro", key="k" * 201), {"trait_key": ["Ensure this field has no more than 200 characters."]}),
        (trait("pro", identifier=""), {"identity": {"identifier": ["This field may not be blank."]}}),
        ({**trait("pro"), "identity": {}}, {"identity": {"identifier": REQUIRED}}),
        (
            {**trait("pro"), "identity": "kim"},
            {"identity": {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}},
        ),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_a_trait_that_cannot_be_is_refused(environment, sdk_client, body, errors):
    response = sdk_client.post(ONE, body, "json")

    assert (response.status_code, response.json()) == (400, errors)
    assert stored() == {}


def test_traits_are_not_read_here(sdk_client):
    response = sdk_client.get(ONE)

    assert (response.status_code, response.json()) == (405, {"detail": 'Method "GET" not allowed.'})


def test_many_traits_of_several_identities_are_set_and_deleted(environment, sdk_client):
    store_traits([TraitChanges(environment.pk, "kim", {"old": 1, "plan": "free"})])
    body = [trait("pro"), trait(None, "old"), trait(3, "age", "lee"), trait(4, "age", "lee")]

    response = sdk_client.put(MANY, body, "json")

    assert (response.status_code, response.json()) == (200, [body[0], body[2], body[3]])
    assert stored() == {"kim": {"plan": "pro"}, "lee": {"age": 4}}


@pytest.mark.parametrize(
    "body", [{}, "text", None, [1], [{}], [trait("pro"), trait("x" * 2001)], [trait("\0")]]
)
def test_malformed_traits_are_refused_together(environment, sdk_client, body):
    response = sdk_client.generic("PUT", MANY, json.dumps(body), content_type="application/json")

    assert (response.status_code, response.json()) == (400, {"detail": "Invalid request data"})
    assert stored() == {}


def test_no_traits_are_no_mistake(environment, sdk_client):
    assert sdk_client.put(MANY, [], "json").json() == []


def increment(client: APIClient, by: Any = 1, **body: Any) -> Any:
    given = {"identifier": "kim", "trait_key": "logins", "increment_by": by, **body}
    return client.post(INCREMENT, given, "json")


def test_a_trait_is_incremented_from_zero(environment, sdk_client):
    answers = [increment(sdk_client, by) for by in (2, -5, 0)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.json() for answer in answers] == [
        {"trait_key": "logins", "trait_value": value, "identifier": "kim"} for value in (2, -3, -3)
    ]
    assert stored() == {"kim": {"logins": -3}}


@pytest.mark.parametrize("value", ["5", 5.0, True, 1e20])
def test_a_trait_that_is_no_integer_is_not_incremented(environment, sdk_client, value):
    sdk_client.post(ONE, trait(value, "logins"), "json")

    response = increment(sdk_client)

    assert (response.status_code, response.json()) == (400, ["Trait is not an integer."])


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (None, "This field may not be null."),
        (True, "A valid integer is required."),
        (1.5, "A valid integer is required."),
        ("one", "A valid integer is required."),
        ("\0", "A valid integer is required."),
        ("1" * 5000, "A valid integer is required."),
        ([], "A valid integer is required."),
        (2**63, "The number is beyond 64 bits."),
        (10**4000, "The number is beyond 64 bits."),
    ],
)
def test_an_increment_that_is_no_integer_is_refused(environment, sdk_client, by, reason):
    response = increment(sdk_client, by)

    assert (response.status_code, response.json()) == (400, {"increment_by": [reason]})
    assert stored() == {}


def test_a_sum_beyond_64_bits_is_refused(environment, sdk_client):
    increment(sdk_client, 2**63 - 1)

    response = increment(sdk_client)

    assert response.status_code == 400
    assert list(response.json()) == ["increment_by"]
    assert stored() == {"kim": {"logins": 2**63 - 1}}


@pytest.mark.django_db(transaction=True)
def test_increments_at_once_add_up(environment, feature):
    def one_more(_: int) -> int:
        try:
            client = APIClient(headers={"X-Environment-Key": environment.api_key})
            return int(increment(client).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one_more, range(32)))

    assert statuses == [200] * 32
    assert stored() == {"kim": {"logins": 32}}


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_an_organisation_that_stores_no_traits_refuses(environment, server_sdk_client, method, path, body):
    Organisation.objects.update(persist_trait_data=False)

    response = getattr(server_sdk_client, method)(path, body, "json")

    assert response.status_code == 403
    assert response.json() == {"detail": "Organisation is not authorised to store traits."}
    assert stored() == {}


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_where_clients_set_no_traits_they_are_told_so(
    environment, sdk_client, server_sdk_client, method, path, body
):
    Environment.objects.update(allow_client_traits=False)

    refused = getattr(sdk_client, method)(path, body, "json")
    unharmed = stored()
    accepted = getattr(server_sdk_client, method)(path, body, "json")

    message = "Setting traits not allowed with client key."
    assert refused.status_code == 400
    assert refused.json() == ({"non_field_errors": [message]} if path == ONE else {"detail": message})
    assert unharmed == {}
    assert accepted.status_code == 200


def test_traits_go_to_the_environment_of_the_key(project, environment, sdk_client):
    other = Environment.objects.create(project=project, name="Staging")
    store_traits([TraitChanges(other.pk, "kim", {"plan": "free"})])

    for method, path, body in REQUESTS:
        getattr(sdk_client, method)(path, body, "json")

    assert Identity.objects.get(environment=other).traits == {"plan": "free"}
    assert Identity.objects.get(environment=environment).traits == {"plan": "pro", "logins": 1}
