"""Organisations over HTTP."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from organisations.models import MemberRole, Organisation
from permissions.tests.factories import grant
from users.models import User
from users.tests.factories import make_user

ORGANISATIONS = "/api/v1/organisations/"


def path_of(organisation: Organisation, rest: str = "") -> str:
    return f"{ORGANISATIONS}{organisation.pk}/{rest}"


@pytest.fixture
def member_client(member, client_of) -> APIClient:
    return client_of(member)


@pytest.fixture
def stranger_client(stranger, client_of) -> APIClient:
    return client_of(stranger)


def test_an_organisation_in_full(admin_client, organisation, member):
    response = admin_client.get(path_of(organisation))

    body = response.json()
    subscription = body.pop("subscription")
    assert response.status_code == 200
    assert body == {
        "id": organisation.pk,
        "uuid": str(organisation.uuid),
        "name": "Acme",
        "created_date": organisation.created_date.isoformat().replace("+00:00", "Z"),
        "webhook_notification_email": None,
        "num_seats": 2,
        "role": "ADMIN",
        "persist_trait_data": True,
        "block_access_to_admin": False,
        "restrict_project_create_to_admin": False,
        "force_2fa": False,
    }
    assert subscription.pop("uuid")
    assert subscription == {
        "id": organisation.pk,
        "deleted_at": None,
        "has_active_billing_periods": False,
        "subscription_id": None,
        "subscription_date": None,
        "plan": "enterprise",
        "max_seats": 100_000,
        "max_api_calls": 2_000_000_000,
        "cancellation_date": None,
        "customer_id": None,
        "billing_status": None,
        "payment_method": None,
        "notes": None,
    }


def test_the_list_has_the_callers_organisations_with_their_own_role(
    member_client, member, organisation, stranger
):
    second = Organisation.objects.create(name="Second")
    second.memberships.create(user=member, role=MemberRole.ADMIN)

    body = member_client.get(ORGANISATIONS).json()

    assert (body["count"], body["next"], body["previous"]) == (2, None, None)
    listed = [(each["name"], each["role"], each["num_seats"]) for each in body["results"]]
    assert listed == [("Acme", "USER", 1), ("Second", "ADMIN", 1)]


def test_who_makes_an_organisation_administers_it(stranger_client, stranger):
    response = stranger_client.post(ORGANISATIONS, {"name": "New", "webhook_notification_email": "a@b.org"})

    made = Organisation.objects.get(name="New")
    assert response.status_code == 201
    assert (response.json()["role"], response.json()["num_seats"]) == ("ADMIN", 1)
    assert response.json()["webhook_notification_email"] == "a@b.org"
    assert made.memberships.get().user == stranger


def test_making_organisations_can_be_kept_to_superusers(settings, client_of, db):
    settings.RESTRICT_ORG_CREATE_TO_SUPERUSERS = True
    superuser = User.objects.create_superuser("root@example.org", "x")

    refused = client_of(make_user()).post(ORGANISATIONS, {"name": "New"})
    made = client_of(superuser).post(ORGANISATIONS, {"name": "New"})

    assert (refused.status_code, list(refused.json())) == (403, ["detail", "code"])
    assert made.status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "x" * 2001),
        ("name", ["a"]),
        ("webhook_notification_email", "no address"),
        ("force_2fa", "perhaps"),
    ],
)
def test_what_is_wrong_is_said_by_field_and_changes_nothing(field, value, admin_client, organisation):
    response = admin_client.put(path_of(organisation), {"name": "Renamed", field: value})

    organisation.refresh_from_db()
    assert (response.status_code, list(response.json())) == (400, [field])
    assert organisation.name == "Acme"


def test_put_needs_the_name_and_patch_does_not(admin_client, organisation):
    assert admin_client.put(path_of(organisation), {"force_2fa": True}).json() == {
        "name": ["This field is required."]
    }
    assert admin_client.patch(path_of(organisation), {"force_2fa": True}).json()["force_2fa"] is True


def test_what_a_dashboard_echoes_back_is_ignored(admin_client, organisation):
    echoed = admin_client.get(path_of(organisation)).json()
    echoed["subscription"]["plan"] = "free"

    response = admin_client.put(
        path_of(organisation),
        {**echoed, "name": "Renamed", "num_seats": 9, "persist_trait_data": False, "role": "USER", "id": 1},
    )

    assert response.status_code == 200
    assert response.json()["name"] == "Renamed"
    assert response.json()["subscription"]["plan"] == "enterprise"
    assert (response.json()["num_seats"], response.json()["persist_trait_data"]) == (1, True)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_the_details_are_for_administrators(method, member_client, organisation):
    response = getattr(member_client, method)(path_of(organisation), {"name": "Renamed"})

    assert response.status_code == 403
    assert member_client.get(ORGANISATIONS).json()["results"][0]["name"] == "Acme"


@pytest.mark.parametrize("rest", ["", "users/", "projects/", "my-permissions/", "get-subscription-metadata/"])
def test_who_does_not_belong_to_an_organisation_is_kept_out(rest, stranger_client, organisation):
    assert stranger_client.get(path_of(organisation, rest)).status_code == 403


@pytest.mark.parametrize("rest", ["", "projects/", "my-permissions/", "get-subscription-metadata/"])
def test_an_organisation_that_never_was_is_one_the_caller_does_not_belong_to(rest, admin_client):
    assert admin_client.get(f"{ORGANISATIONS}999999/{rest}").status_code == 403


@pytest.mark.parametrize("rest", ["", "users/", "projects/", "my-permissions/"])
@pytest.mark.parametrize("not_a_number", ["abc", "1.5", "%00", "9" * 5000])
def test_an_id_that_is_no_number_is_a_400(not_a_number, rest, admin_client):
    response = admin_client.get(f"{ORGANISATIONS}{not_a_number}/{rest}")

    assert (response.status_code, response.json()) == (400, ["Invalid organisation ID"])


def test_a_deleted_organisation_is_gone_with_all_that_is_in_it(
    admin_client, sdk_client, organisation, project, environment
):
    assert sdk_client.get("/api/v1/flags/").status_code == 200

    response = admin_client.delete(path_of(organisation))

    assert (response.status_code, response.content) == (204, b"")
    assert admin_client.get(path_of(organisation)).status_code == 404
    assert admin_client.get(path_of(organisation, "users/")).status_code == 404
    assert admin_client.get(ORGANISATIONS).json()["count"] == 0
    assert admin_client.get("/api/v1/projects/").json() == []
    assert admin_client.get(f"/api/v1/projects/{project.pk}/").status_code == 404
    assert sdk_client.get("/api/v1/flags/").status_code == 403


def test_members_find_an_organisation_by_uuid(member_client, stranger_client, organisation):
    path = f"{ORGANISATIONS}get-by-uuid/{organisation.uuid}/"

    assert member_client.get(path).json()["id"] == organisation.pk
    assert stranger_client.get(path).status_code == 404
    assert member_client.get(f"{ORGANISATIONS}get-by-uuid/{uuid4()}/").status_code == 404
    assert member_client.get(f"{ORGANISATIONS}get-by-uuid/abc/").status_code == 404


def test_the_limits_of_the_plan_are_large_or_none(admin_client, member_client, organisation):
    path = path_of(organisation, "get-subscription-metadata/")

    assert admin_client.get(path).json() == {
        "max_seats": 100_000,
        "max_api_calls": 2_000_000_000,
        "max_projects": None,
        "payment_source": None,
        "chargebee_email": None,
        "feature_history_visibility_days": None,
        "audit_log_visibility_days": None,
    }
    assert member_client.get(path).status_code == 403


def test_the_permissions_of_the_level_are_a_bare_list(member_client):
    response = member_client.get(f"{ORGANISATIONS}permissions/")

    assert [each["key"] for each in response.json()] == ["CREATE_PROJECT", "MANAGE_USER_GROUPS"]
    assert {each["supports_tag"] for each in response.json()} == {False}


def test_everyone_sees_their_own_permissions(admin_client, member_client, member, organisation):
    grant(member, organisation, "MANAGE_USER_GROUPS")
    path = path_of(organisation, "my-permissions/")

    assert admin_client.get(path).json() == {"permissions": [], "admin": True, "tag_based_permissions": []}
    assert member_client.get(path).json() == {
        "permissions": ["MANAGE_USER_GROUPS"],
        "admin": False,
        "tag_based_permissions": [],
    }


@pytest.mark.parametrize("page", ["2", "0", "-1", "abc", "9" * 30, "9" * 5000, "%00"])
def test_a_page_that_is_not_there_is_a_404(page, member_client):
    response = member_client.get(f"{ORGANISATIONS}?page={page}")

    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


def test_nobody_is_let_in(organisation):
    assert APIClient().get(ORGANISATIONS).status_code == 401
    assert APIClient().get(path_of(organisation)).status_code == 401
    assert APIClient().post(ORGANISATIONS, {"name": "New"}).status_code == 401


def test_a_targeting_key_is_taken_once_and_never_shown(stranger_client, admin_client, organisation):
    made = stranger_client.post(ORGANISATIONS, {"name": "New", "targeting_key": "acme"})
    changed = admin_client.patch(path_of(organisation), {"targeting_key": "other"})
    too_long = stranger_client.post(ORGANISATIONS, {"name": "New", "targeting_key": "x" * 65})

    assert [each.status_code for each in (made, changed, too_long)] == [201, 200, 400]
    assert not {"targeting_key"} & {*made.json(), *changed.json()}
    assert list(too_long.json()) == ["targeting_key"]
