"""What an answer costs: the same number of queries for one feature and segment as for fifty."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from identities.batches import TraitChanges
from identities.services import store_traits

pytestmark = pytest.mark.django_db(transaction=True)

TRAITS = [{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": "age", "trait_value": 30}]
TRAIT = {"identity": {"identifier": "kim"}, "trait_key": "plan", "trait_value": "pro"}
INCREMENT = {"identifier": "kim", "trait_key": "logins", "increment_by": 1}
MANY = {"data": [{"identifier": str(number), "traits": TRAITS} for number in range(100)]}

# Each has one query that looks up the key, and one that asks for the revision.
COSTS = [
    ("get", "flags/", None, 2),
    ("get", "flags/?feature=first", None, 2),
    ("get", "environment-document/", None, 2),
    ("get", "identities/?identifier=kim", None, 3),
    ("get", "identities/?identifier=kim&transient=true", None, 3),
    ("get", "identities/?identifier=user-0&feature=first", None, 3),
    ("post", "identities/", {"identifier": "kim", "traits": TRAITS}, 3),
    ("post", "identities/", {"identifier": "kim", "traits": TRAITS, "transient": True}, 3),
    ("post", "identities/", {"traits": TRAITS}, 2),
    ("post", "bulk-identities/", MANY, 3),
    ("post", "traits/", TRAIT, 3),
    ("put", "traits/bulk/", [TRAIT] * 100, 3),
    ("get", "flags/kim", None, 3),
    ("get", "identities/kim/", None, 4),
    # The transaction begins and ends; the identity is made, locked and changed.
    ("post", "traits/increment-value/", INCREMENT, 7),
]


@pytest.fixture(params=[1, 50])
def number(request, project, environment) -> int:
    """How many features, segments and overrides of each kind there are."""
    with transaction.atomic():
        for each in range(request.param):
            feature = make_feature(project, "" if each else "first", variants={"a": ("A", 50)})
            override_for_segment(feature, environment, make_segment(project))
            override_for_identity(feature, environment, f"user-{each}")
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "pro"})])
    return int(request.param)


def test_a_warm_request_costs_the_same_however_much_there_is(number, server_sdk_client):
    costs = []
    for method, path, body, _ in COSTS:
        for _ in ("cold", "warm"):
            with CaptureQueriesContext(connection) as queries:
                response = getattr(server_sdk_client, method)(
                    f"/api/v1/{path}", body, format="json" if body else None
                )
        assert response.status_code == 200, response.content
        costs.append((method, path, body, len(queries)))

    assert costs == COSTS


def test_a_cold_request_costs_the_same_however_much_there_is(number, sdk_client, django_assert_num_queries):
    # The key, the revision twice (before and after waiting for other readers); what makes a document, two
    # for the transaction among them.
    with django_assert_num_queries(3 + 4):
        sdk_client.get("/api/v1/flags/")
