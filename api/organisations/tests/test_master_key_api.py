"""`organisations/{id}/master-api-keys/`: who manages master keys, and how."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from organisations.models import MasterKey, Organisation
from organisations.tests.factories import machine_client, make_key
from permissions.tests.factories import make_role

ORGANISATIONS = "/api/v1/organisations/"


def keys_url(organisation: Organisation, key: MasterKey | None = None) -> str:
    return f"{ORGANISATIONS}{organisation.pk}/master-api-keys/{f'{key.prefix}/' if key else ''}"


def test_a_new_key_is_shown_once_and_works(admin_client, admin, organisation):
    response = admin_client.post(keys_url(organisation), {"name": "Terraform"}, format="json")

    created = response.json()
    key, identifier = created["key"], created["id"]
    assert response.status_code == 201
    assert {name: value for name, value in created.items() if name not in {"created", "key", "id"}} == {
        "prefix": key[:8],
        "name": "Terraform",
        "revoked": False,
        "expiry_date": None,
        "is_admin": True,
        "has_expired": False,
        "created_by": admin.pk,
    }
    assert [len(part) for part in key.split(".")] == [8, 32]
    assert str(UUID(identifier)) == identifier
    again = admin_client.get(f"{keys_url(organisation)}{created['prefix']}/").json()
    assert again == {**created, "key": None}
    client = APIClient(headers={"Authorization": f"Api-Key {key}"})
    assert client.get(ORGANISATIONS).json()["results"][0]["role"] == "ADMIN"


def test_the_key_itself_is_stored_nowhere(organisation):
    key = make_key(organisation)

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(each)::text FROM organisations_masterkey AS each")
        stored = cursor.fetchone()[0]

    assert key.prefix in stored
    assert key.secret
    assert key.secret.partition(".")[2] not in stored


def test_a_key_belongs_to_the_organisation_of_the_path(admin_client, organisation, stranger):
    other = stranger.organisations.get()
    body = {"name": "Terraform", "organisation": other.pk, "prefix": "abcdefgh", "created_by": stranger.pk}

    created = admin_client.post(keys_url(organisation), body, format="json").json()

    key = MasterKey.objects.get(prefix=created["prefix"])
    assert (key.organisation, key.prefix == "abcdefgh", key.created_by == stranger) == (
        organisation,
        False,
        False,
    )


def test_the_list_leaves_out_what_was_revoked_and_shows_what_has_expired(admin_client, organisation):
    make_key(organisation, name="used")
    make_key(organisation, name="late", expiry_date=timezone.now() - timedelta(seconds=1))
    make_key(organisation, name="revoked", revoked=True)
    make_key(organisation, name="deleted").delete()
    make_key(Organisation.objects.create(name="Other"), name="foreign")

    body = admin_client.get(keys_url(organisation)).json()

    assert body["count"] == 2
    assert {each["name"]: each["has_expired"] for each in body["results"]} == {"used": False, "late": True}
    assert [each["key"] for each in body["results"]] == [None, None]


@pytest.mark.parametrize("number", [1, 10])
def test_a_longer_list_takes_no_more_statements(number, admin_client, organisation):
    for _ in range(number):
        make_key(organisation)

    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert admin_client.get(keys_url(organisation)).json()["count"] == number

    assert len(statements) == 4


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_key_is_changed(method, admin_client, organisation):
    key = make_key(organisation)
    body = {"name": "CI", "expiry_date": "2100-01-01T00:00:00Z", "is_admin": False}

    response = getattr(admin_client, method)(keys_url(organisation, key), body, format="json")

    assert response.status_code == 200
    shown = response.json()
    assert (shown["name"], shown["expiry_date"], shown["is_admin"], shown["key"]) == (
        "CI",
        "2100-01-01T00:00:00Z",
        False,
        None,
    )


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 51}])
def test_a_key_has_a_name_of_at_most_50_characters(body, admin_client, organisation):
    response = admin_client.post(keys_url(organisation), body, format="json")

    assert (response.status_code, list(response.json())) == (400, ["name"])


def test_a_revoked_key_is_not_revived(admin_client, organisation):
    key = make_key(organisation)
    admin_client.patch(keys_url(organisation, key), {"revoked": True}, format="json")

    response = admin_client.patch(keys_url(organisation, key), {"revoked": False}, format="json")

    assert (response.status_code, list(response.json())) == (400, ["revoked"])
    key.refresh_from_db()
    assert key.revoked


def test_nothing_else_revives_a_revoked_key_either(organisation):
    make_key(organisation, revoked=True)

    with pytest.raises(IntegrityError, match="can't be revived"), transaction.atomic():
        MasterKey.objects.update(revoked=False)


def test_a_deleted_key_is_gone_for_the_api(admin_client, organisation):
    key = make_key(organisation)

    response = admin_client.delete(keys_url(organisation, key))

    assert response.status_code == 204
    assert admin_client.get(keys_url(organisation, key)).status_code == 404
    assert MasterKey.all_objects.filter(pk=key.pk).exists()


def test_a_key_that_becomes_an_administrators_has_no_roles_any_more(admin_client, organisation):
    key = make_key(organisation, is_admin=False)
    make_role(organisation, key)

    admin_client.patch(keys_url(organisation, key), {"name": "renamed"}, format="json")
    kept = key.role_assignments.count()
    admin_client.patch(keys_url(organisation, key), {"is_admin": True}, format="json")

    assert (kept, key.role_assignments.count()) == (1, 0)


def test_members_who_are_no_administrators_see_no_keys(client_of, member, organisation):
    key = make_key(organisation)
    client = client_of(member)

    statuses = [
        client.get(keys_url(organisation)).status_code,
        client.post(keys_url(organisation), {"name": "x"}, format="json").status_code,
        client.get(keys_url(organisation, key)).status_code,
        client.delete(keys_url(organisation, key)).status_code,
    ]

    assert statuses == [403] * 4
    assert MasterKey.objects.count() == 1


def test_a_key_of_another_organisation_is_not_found(client_of, stranger, organisation):
    key = make_key(organisation)
    own = stranger.organisations.get()

    assert client_of(stranger).get(keys_url(own, key)).status_code == 404
    assert client_of(stranger).get(keys_url(organisation, key)).status_code == 403


def test_no_key_manages_keys(organisation):
    key = make_key(organisation)
    client = machine_client(key)

    responses = [
        client.get(keys_url(organisation)),
        client.post(keys_url(organisation), {"name": "x"}, format="json"),
        client.get(keys_url(organisation, key)),
        client.put(keys_url(organisation, key), {"name": "x"}, format="json"),
        client.patch(keys_url(organisation, key), {"revoked": True}, format="json"),
        client.delete(keys_url(organisation, key)),
    ]

    assert [response.status_code for response in responses] == [401] * 6
    assert MasterKey.objects.get().name == "Terraform"


def test_a_signed_in_administrator_manages_keys_with_a_token(admin, organisation):
    token = Token.objects.create(user=admin)

    response = APIClient(headers={"Authorization": f"Token {token.key}"}).get(keys_url(organisation))

    assert response.status_code == 200
