"""What the database does to read an environment, where it hasn't counted the rows of a new one yet."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from documents.queries import EVERYTHING, OF_IDENTITIES
from environments.models import Environment
from features.models import Feature, FeatureState
from identities.models import Identity
from organisations.models import Organisation
from projects.models import Project

MANY = 500


def environment_with_overrides(organisation: Organisation, name: str, number: int) -> tuple[int, list[int]]:
    """Return the ids of a new environment and of its identities, all of which override one feature."""
    project = Project.objects.create(organisation=organisation, name=name)
    environment = Environment.objects.create(project=project, name="Production")
    feature = Feature.objects.create(project=project, name="new_checkout")
    identities = Identity.objects.bulk_create(
        Identity(environment=environment, identifier=f"user-{each}") for each in range(number)
    )
    FeatureState.objects.bulk_create(
        FeatureState(feature=feature, environment=environment, identity=identity) for identity in identities
    )
    return environment.pk, [identity.pk for identity in identities]


@pytest.fixture
def uncounted(organisation) -> tuple[int, list[int]]:
    """An environment with overrides that came after the database had last counted its rows."""
    counted, _ = environment_with_overrides(organisation, "Old", 1)
    Identity.objects.bulk_create(
        Identity(environment_id=counted, identifier=f"other-{each}") for each in range(4 * MANY)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return environment_with_overrides(organisation, "New", MANY)


@pytest.mark.parametrize("sql", [EVERYTHING, OF_IDENTITIES], ids=["everything", "of identities"])
def test_the_overrides_of_a_new_environment_are_not_compared_with_all_its_identities(uncounted, sql):
    environment, identities = uncounted

    with connection.cursor() as cursor:
        parameters = {"environment": environment, "identities": identities, "version": "1"}
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", parameters)
        ((plan,),) = cursor.fetchall()

    looked_at = sum(
        rows_looked_at(node) for node in nodes(json.loads(plan) if isinstance(plan, str) else plan)
    )
    assert MANY < looked_at < 50 * MANY, "This grows with the square of the number of overrides."


def nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, list):
        for each in plan:
            yield from nodes(each)
    elif isinstance(plan, dict):
        yield plan
        for each in plan.values():
            yield from nodes(each)


def rows_looked_at(node: dict[str, Any]) -> float:
    """Return how many rows a step of a plan has taken up, whether or not it passed them on."""
    rows = node.get("Actual Rows", 0) + node.get("Rows Removed by Filter", 0)
    return (rows + node.get("Rows Removed by Join Filter", 0)) * node.get("Actual Loops", 0)
