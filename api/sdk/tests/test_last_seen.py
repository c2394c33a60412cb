"""The day on which an SDK last asked for an identity."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from environments.models import EnvironmentRevision
from identities.models import Identity

LONG_AGO = date(2026, 1, 1)


def today() -> date:
    return datetime.now(UTC).date()


def row_version(identity: Identity) -> tuple[str, str]:
    """Return what changes with every write of an identity's row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid::text, xmin::text FROM identities_identity WHERE id = %s", [identity.pk])
        return cursor.fetchone()


@pytest.fixture
def identity(environment) -> Identity:
    return Identity.objects.create(
        environment=environment, identifier="kim", traits={"plan": "pro"}, last_seen=LONG_AGO
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("identities/", {"identifier": "kim"}),
        ("identities/", {"identifier": "kim", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}),
        (
            "traits/",
            {"identity": {"identifier": "kim"}, "trait_key": "plan", "trait_value": "pro"},
        ),
        ("traits/increment-value/", {"identifier": "kim", "trait_key": "visits", "increment_by": 0}),
    ],
)
def test_is_written_once_a_day(sdk_client, identity, path, body):
    sdk_client.post(f"/api/v1/{path}", body)
    identity.refresh_from_db()
    written = row_version(identity)
    sdk_client.post(f"/api/v1/{path}", body)

    assert identity.last_seen == today()
    assert identity.traits["plan"] == "pro"
    assert row_version(identity) == written


def test_publishes_nothing(sdk_client, environment, identity):
    def revisions() -> list[int]:
        return list(EnvironmentRevision.objects.values_list("revision", flat=True))

    before = revisions()

    sdk_client.post("/api/v1/identities/", {"identifier": "kim"})

    assert revisions() == before


@pytest.mark.parametrize("identifier", ["kim", "noor"])
def test_is_today_for_whoever_asks_in_bulk(sdk_client, environment, identity, identifier):
    sdk_client.post("/api/v1/bulk-identities/", {"data": [{"identifier": "kim"}, {"identifier": "noor"}]})

    assert Identity.objects.get(identifier=identifier).last_seen == today()


def test_is_not_for_transient_requests_or_for_people(sdk_client, admin_client, environment, identity):
    url = f"/api/v1/environments/{environment.api_key}/identities/{identity.pk}/"

    sdk_client.post("/api/v1/identities/", {"identifier": "kim", "transient": True})
    admin_client.post(f"{url}traits/", {"trait_key": "age", "string_value": "34"})
    shown = admin_client.get(url).json()
    admin_client.put(url, {"identifier": "kim b."})

    identity.refresh_from_db()
    assert (identity.last_seen, shown["last_seen"]) == (LONG_AGO, LONG_AGO.isoformat())
    assert (identity.identifier, identity.traits) == ("kim b.", {"plan": "pro", "age": "34"})
