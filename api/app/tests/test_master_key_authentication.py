"""`Authorization: Api-Key …`: which keys open something, and what they are."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from environments.models import Environment
from organisations.models import MasterKey, Organisation
from organisations.tests.factories import machine_client, make_key
from permissions.tests.factories import grant, make_role
from projects.models import Project

ORGANISATIONS = "/api/v1/organisations/"
REFUSAL = {"detail": "Valid Master API Key not found."}


def test_a_key_sees_its_own_organisation_and_no_other(organisation, stranger):
    response = machine_client(make_key(organisation)).get(ORGANISATIONS)

    assert [(each["id"], each["role"], each["num_seats"]) for each in response.json()["results"]] == [
        (organisation.pk, "ADMIN", 0)
    ]


def test_a_key_that_is_no_administrators_is_a_member(organisation):
    response = machine_client(make_key(organisation, is_admin=False)).get(ORGANISATIONS)

    assert response.json()["results"][0]["role"] == "USER"


@pytest.mark.parametrize(
    "header",
    [
        "Api-Key {secret}",
        "api-key {secret}",
        "API-KEY  {secret}",
    ],
)
def test_the_scheme_may_be_written_in_any_case(header, organisation):
    key = make_key(organisation)

    response = APIClient(headers={"Authorization": header.format(secret=key.secret)}).get(ORGANISATIONS)

    assert response.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Api-Key",
        "Api-Key ",
        "Api-Key {prefix}",
        "Api-Key {prefix}.",
        "Api-Key {prefix}.{other}",
        "Api-Key {secret}x",
        "Api-Key {secret} {secret}",
        "Api-Key {secret}\t.",
        "Api-Key unknown0.{other}",
        "Api-Key \xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9.{other}",
        "Api-Key \0",
    ],
)
def test_what_is_no_key_is_refused(header, organisation):
    key = make_key(organisation)
    words = {"prefix": key.prefix, "secret": key.secret, "other": "x" * 32}

    response = APIClient(headers={"Authorization": header.format(**words)}).get(ORGANISATIONS)

    assert (response.status_code, response.json()) == (401, REFUSAL)
    assert response["WWW-Authenticate"]


def test_the_hash_is_no_key(organisation):
    key = make_key(organisation)

    response = APIClient(headers={"Authorization": f"Api-Key {key.hashed_key}"}).get(ORGANISATIONS)

    assert (response.status_code, response.json()) == (401, REFUSAL)


def test_a_key_is_no_token_and_no_key_of_an_environment(organisation, environment):
    key = make_key(organisation)

    assert APIClient(headers={"Authorization": f"Token {key.secret}"}).get(ORGANISATIONS).status_code == 401
    assert machine_client(key).get("/api/v1/flags/").status_code == 403


@pytest.mark.parametrize("end", ["revoke", "delete", "expire", "delete_organisation"])
def test_the_first_request_after_a_key_has_ended_is_refused(end, admin_client, organisation):
    key = make_key(organisation)
    client = machine_client(key)
    own, path = f"{ORGANISATIONS}{organisation.pk}/", f"master-api-keys/{key.prefix}/"
    assert client.get(ORGANISATIONS).status_code == 200

    match end:
        case "revoke":
            admin_client.patch(own + path, {"revoked": True}, format="json")
        case "delete":
            admin_client.delete(own + path)
        case "expire":
            soon = (timezone.now() - timedelta(milliseconds=1)).isoformat()
            admin_client.patch(own + path, {"expiry_date": soon}, format="json")
        case "delete_organisation":
            admin_client.delete(own)
    response = client.get(ORGANISATIONS)

    assert (response.status_code, response.json()) == (401, REFUSAL)


def test_a_key_of_a_deleted_organisation_is_refused_however_that_came_about(organisation):
    key = make_key(organisation)
    Organisation.objects.filter(pk=organisation.pk).update(deleted_at=timezone.now())

    response = machine_client(key).get(ORGANISATIONS)

    assert MasterKey.objects.filter(pk=key.pk).exists()
    assert (response.status_code, response.json()) == (401, REFUSAL)


def test_a_key_that_expires_later_works(organisation):
    key = make_key(organisation, expiry_date=timezone.now() + timedelta(hours=1))

    assert machine_client(key).get(ORGANISATIONS).status_code == 200


def test_a_refused_key_costs_one_statement_that_uses_an_index(organisation):
    key = make_key(organisation, revoked=True)
    MasterKey.objects.bulk_create(
        MasterKey(organisation=organisation, prefix=f"k{number}", name="k") for number in range(2_000)
    )

    with CaptureQueriesContext(connection) as statements:
        machine_client(key).get(ORGANISATIONS)

    assert len(statements) == 1
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE organisations_masterkey")
        cursor.execute(f"EXPLAIN {statements[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "organisations_masterkey_prefix" in plan


def test_a_key_without_roles_sees_nothing_of_a_project(organisation, project, environment):
    client = machine_client(make_key(organisation, is_admin=False))

    assert client.get("/api/v1/projects/").json() == []
    assert client.get(f"/api/v1/projects/{project.pk}/features/").status_code == 404
    assert client.get(f"/api/v1/environments/{environment.api_key}/").status_code == 403
    assert client.post("/api/v1/projects/", {"name": "x", "organisation": organisation.pk}).status_code == 403


def test_a_key_holds_what_its_roles_grant(organisation, project, environment):
    key = make_key(organisation, is_admin=False)
    grant(make_role(organisation, key), project, "VIEW_PROJECT", "CREATE_FEATURE")
    client = machine_client(key)

    created = client.post(f"/api/v1/projects/{project.pk}/features/", {"name": "dark_mode"}, format="json")

    assert created.status_code == 201
    assert created.json()["owners"] == []
    assert client.delete(f"/api/v1/projects/{project.pk}/features/{created.json()['id']}/").status_code == 403
    assert [each["id"] for each in client.get("/api/v1/projects/").json()] == [project.pk]


def test_a_key_makes_a_whole_project_and_nobody_administers_it(organisation, member, client_of):
    client = machine_client(make_key(organisation))

    project = client.post("/api/v1/projects/", {"name": "New", "organisation": organisation.pk}).json()
    environment = client.post("/api/v1/environments/", {"name": "Live", "project": project["id"]})

    assert environment.status_code == 201
    assert Project.objects.get(pk=project["id"]).grants.count() == 0
    assert Environment.objects.get(name="Live").grants.count() == 0


def test_an_organisation_is_made_by_people(organisation):
    response = machine_client(make_key(organisation)).post(ORGANISATIONS, {"name": "New"}, format="json")

    assert response.status_code == 403
    assert "users" in response.json()["detail"]
    assert Organisation.objects.count() == 1


@pytest.mark.parametrize("is_admin", [True, False])
def test_a_key_has_no_account(is_admin, organisation):
    client = machine_client(make_key(organisation, is_admin=is_admin))

    responses = [
        client.get("/api/v1/auth/users/me/"),
        client.patch("/api/v1/auth/users/me/", {"first_name": "Robot"}, format="json"),
        client.post("/api/v1/auth/logout/"),
        client.delete("/api/v1/auth/token/"),
    ]

    assert [response.status_code for response in responses] == [403] * 4
    assert "master API key" in responses[0].json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "organisations/{organisation.pk}/my-permissions/",
        "projects/{project.pk}/my-permissions/",
        "environments/{environment.api_key}/my-permissions/",
    ],
)
def test_the_permissions_of_a_key_are_its_roles(path, organisation, project, environment):
    url = path.format(organisation=organisation, project=project, environment=environment)

    response = machine_client(make_key(organisation)).get(f"/api/v1/{url}")

    assert response.status_code == 400
    assert response.json()["detail"] == "This endpoint can only be used with a user and not Master API Key"


def test_a_key_is_in_no_log(organisation, caplog):
    key = make_key(organisation)
    caplog.set_level(logging.DEBUG)

    machine_client(key).get(ORGANISATIONS)
    machine_client(key).get(f"{ORGANISATIONS}999999/")
    APIClient(headers={"Authorization": f"Api-Key {key.secret}x"}).get(ORGANISATIONS)

    assert caplog.records
    assert key.secret not in caplog.text
