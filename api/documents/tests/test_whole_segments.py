"""Nobody ever sees a segment with half of its rules, whatever is saved between two of a reader's queries."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from segments.models import Segment
from segments.rules import WantedCondition, WantedRule
from segments.services import clone_segment, create_segment, update_segment
from users.models import User


def rules(country: str) -> list[WantedRule]:
    """Rules that say everywhere which of the versions of the segment they are of."""
    one = WantedCondition("EQUAL", "country", country)
    nested = WantedRule("ANY", (one, one))
    return [WantedRule("ALL", (one,), (nested, nested))]


def countries(rules: list[dict[str, Any]]) -> list[str]:
    """Return what the conditions of rules say, as the API or as a document shows them."""
    return [
        value
        for rule in rules
        for value in [
            *(condition["value"] for condition in rule["conditions"]),
            *countries(rule.get("rules", [])),
        ]
    ]


@contextmanager
def saved_before_every_query(segment: Segment, author: User) -> Iterator[list[int]]:
    """Replace name and rules of a segment before each query that this thread makes of segments.

    Gives a list that has an item for each time.
    """
    saved: list[int] = []
    versions = cycle(["NL", "BE"])

    def save() -> None:
        country = next(versions)
        update_segment(segment, author=author, name=country, rules=rules(country))

    def interfere(execute: Any, sql: str, *arguments: Any) -> Any:
        if "segments_" in sql and sql.lstrip().startswith("SELECT"):
            others.submit(save).result()
            saved.append(1)
        return execute(sql, *arguments)

    with ThreadPoolExecutor(1) as others:
        try:
            with connection.execute_wrapper(interfere):
                yield saved
        finally:
            others.submit(lambda: connection.close()).result()  # that thread's


@pytest.fixture
def segment(transactional_db, admin, project) -> Segment:
    return create_segment(project, author=admin, name="FR", rules=rules("FR"))


def test_readers_of_the_api_and_of_the_document_see_one_version_whole(
    admin, admin_client, environment, server_sdk_client, segment
):
    url = f"/api/v1/projects/{segment.project_id}/segments/"
    document = "/api/v1/environment-document/"
    seen: list[dict[str, Any]] = []

    def read(client: APIClient, path: str) -> Any:
        with saved_before_every_query(segment, admin) as saved:
            response = client.get(path)
        assert response.status_code == 200
        assert saved
        return response.json()

    seen += read(admin_client, url)["results"]
    seen += [read(admin_client, f"{url}{segment.pk}/")]
    seen += [read(admin_client, f"/api/v1/segments/get-by-uuid/{segment.uuid}/")]
    seen += read(server_sdk_client, document)["project"]["segments"]
    seen += read(admin_client, f"/api/v1/environments/{environment.api_key}/document/")["project"]["segments"]

    assert [countries(each["rules"]) for each in seen] == [[each["name"]] * 5 for each in seen]


def test_a_copy_is_of_one_version(admin, segment):
    with saved_before_every_query(segment, admin) as saved:
        copy = clone_segment(segment, name="Copy", author=admin)

    values = set(copy.rules.values_list("conditions__value", flat=True))
    assert saved
    assert (copy.rules.count(), len(values)) == (3, 1)
