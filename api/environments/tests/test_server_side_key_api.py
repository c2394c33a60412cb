"""Server-side keys over HTTP."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import AuditRecord
from environments.models import Environment, ServerSideKey
from permissions.tests.factories import grant


def path_of(environment: Environment, rest: str = "") -> str:
    return f"/api/v1/environments/{environment.api_key}/api-keys/{rest}"


def read_document_with(key: str) -> int:
    client = APIClient(headers={"X-Environment-Key": key})
    return client.get("/api/v1/environment-document/").status_code


@pytest.fixture
def client(member, project, client_of) -> APIClient:
    """Signed in as an administrator of the project, who is a plain member of its organisation."""
    grant(member, project, admin=True)
    return client_of(member)


@pytest.fixture
def key(environment) -> ServerSideKey:
    return environment.server_side_keys.create(name="servers")


def test_a_key_is_made_and_works(client, environment):
    response = client.post(path_of(environment), {"name": "servers", "key": "ser.chosen"})

    made = ServerSideKey.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": made.pk,
        "key": made.key,
        "active": True,
        "created_at": made.created_at.isoformat().replace("+00:00", "Z"),
        "name": "servers",
        "expires_at": None,
    }
    assert made.key.startswith("ser.")
    assert len(made.key) == 26
    assert read_document_with(made.key) == 200
    assert not AuditRecord.objects.exists()


def test_keys_are_a_bare_list_readable_in_full(client, environment, key):
    response = client.get(path_of(environment))

    assert [each["key"] for each in response.json()] == [key.key]


def test_a_single_key_is_not_offered(client, environment, key):
    assert client.get(path_of(environment, f"{key.pk}/")).status_code == 405


@pytest.mark.parametrize(
    "change",
    [{"active": False}, {"expires_at": (timezone.now() - timedelta(seconds=1)).isoformat()}],
    ids=["switched off", "expired"],
)
def test_a_key_that_is_off_or_has_expired_stops_working(change, client, environment, key):
    assert read_document_with(key.key) == 200

    response = client.patch(path_of(environment, f"{key.pk}/"), change)

    assert response.status_code == 200
    assert read_document_with(key.key) == 403


def test_the_text_of_a_key_never_changes(client, environment, key):
    put = client.put(path_of(environment, f"{key.pk}/"), {"name": "renamed", "key": "ser.x"})
    patched = client.patch(path_of(environment, f"{key.pk}/"), {"key": "ser.x", "id": 5})

    stored = ServerSideKey.objects.get()
    assert (put.status_code, patched.status_code) == (200, 200)
    assert (stored.pk, stored.key, stored.name) == (key.pk, key.key, "renamed")


def test_a_deleted_key_stops_working(client, environment, key):
    response = client.delete(path_of(environment, f"{key.pk}/"))

    assert (response.status_code, response.content) == (204, b"")
    assert read_document_with(key.key) == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "x" * 101),
        ("active", None),
        ("expires_at", "tomorrow"),
        ("expires_at", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_what_is_wrong_is_said_by_field(field, value, client, environment):
    response = client.post(path_of(environment), {"name": "servers", field: value})

    assert (response.status_code, list(response.json())) == (400, [field])
    assert not ServerSideKey.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_key_is_reached_through_its_own_environment_only(method, client, environment, key):
    neighbour = Environment.objects.create(project=environment.project, name="Staging")

    response = getattr(client, method)(path_of(neighbour, f"{key.pk}/"), {"name": "renamed"})

    assert response.status_code == 404
    assert ServerSideKey.objects.get().name == "servers"


def test_keys_of_others_and_of_unknown_environments_are_forbidden(client_of, stranger, environment, key):
    client = client_of(stranger)

    responses = [
        client.get(path_of(environment)),
        client.post(path_of(environment), {"name": "mine"}),
        client.put(path_of(environment, f"{key.pk}/"), {"name": "mine"}),
        client.delete(path_of(environment, f"{key.pk}/")),
        client.get("/api/v1/environments/unknown/api-keys/"),
    ]

    assert [each.status_code for each in responses] == [403] * 5
    assert [each.name for each in ServerSideKey.objects.all()] == ["servers"]
