"""Granting permissions over HTTP, to users and groups: much the same at all three levels."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import IntegrityError
from rest_framework.test import APIClient

from conftest import member_of
from organisations.models import MemberRole
from permissions.catalogue import Level, permissions_at
from permissions.models import Grant
from permissions.tests.factories import grant, make_group, make_role

KEYS = {level: [each.key for each in permissions_at(level)] for level in Level}
BELOW_ORGANISATION = [Level.PROJECT, Level.ENVIRONMENT]
HOLDERS = ["user", "group"]


@dataclass(frozen=True)
class Place:
    """What permissions are granted on, where, and by whom."""

    level: Level
    target: Any
    path: str

    def url(self, holder: str, row: Grant | None = None) -> str:
        kind = "user-permissions" if holder == "user" else "user-group-permissions"
        return f"{self.path}{kind}/{f'{row.pk}/' if row else ''}"


@pytest.fixture
def places(organisation, project, environment) -> dict[Level, Place]:
    return {
        Level.ORGANISATION: Place(
            Level.ORGANISATION, organisation, f"/api/v1/organisations/{organisation.pk}/"
        ),
        Level.PROJECT: Place(Level.PROJECT, project, f"/api/v1/projects/{project.pk}/"),
        Level.ENVIRONMENT: Place(
            Level.ENVIRONMENT, environment, f"/api/v1/environments/{environment.api_key}/"
        ),
    }


@pytest.fixture
def group(organisation, member):
    return make_group(organisation, member)


@pytest.fixture
def holders(member, group) -> dict[str, Any]:
    return {"user": member, "group": group}


def user_summary(user) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "last_login": None,
        "uuid": str(user.uuid),
    }


def group_in_a_list(group, member, level: Level) -> dict[str, Any]:
    user = {**user_summary(member), "group_admin": False}
    del user["uuid"]
    return {
        "id": group.pk,
        "name": group.name,
        "users": [member.pk] if level is Level.PROJECT else [user],
        "is_default": False,
        "external_id": None,
    }


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("level", Level)
def test_what_is_granted_is_listed_with_its_holder(level, holder, places, holders, member, admin_client):
    place, key = places[level], KEYS[level][0]
    flag = {} if level is Level.ORGANISATION else {"admin": False}

    created = admin_client.post(
        place.url(holder), {holder: holders[holder].pk, "permissions": [key]}, format="json"
    )

    assert created.status_code == 201, created.json()
    pk = created.json()["id"]
    assert created.json() == {"id": pk, holder: holders[holder].pk, "permissions": [key], **flag}
    shown = user_summary(member) if holder == "user" else group_in_a_list(holders["group"], member, level)
    assert admin_client.get(place.url(holder)).json() == [
        {"id": pk, holder: shown, "permissions": [key], **flag}
    ]
    assert admin_client.get(place.url("group" if holder == "user" else "user")).json() == []


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("level", Level)
def test_a_change_replaces_all_permissions(level, method, holder, places, holders, admin_client):
    place, (first, second) = places[level], KEYS[level][:2]
    row = grant(holders[holder], place.target, first)

    response = getattr(admin_client, method)(
        place.url(holder, row), {holder: holders[holder].pk, "permissions": [second]}, format="json"
    )

    row.refresh_from_db()
    assert response.json()["permissions"] == [second]
    assert row.permissions == {second: []}


@pytest.mark.parametrize("level", Level)
def test_a_patch_without_permissions_takes_them_away_below_the_organisation(
    level, places, member, admin_client
):
    row = grant(member, places[level].target, KEYS[level][0])

    response = admin_client.patch(places[level].url("user", row), {}, format="json")

    kept = [KEYS[level][0]] if level is Level.ORGANISATION else []
    assert response.json()["permissions"] == kept


@pytest.mark.parametrize("level", BELOW_ORGANISATION)
def test_a_patch_that_says_nothing_of_it_leaves_an_administrator_one(level, places, member, admin_client):
    row = grant(member, places[level].target, admin=True)

    assert admin_client.patch(places[level].url("user", row), {}, format="json").json()["admin"] is True
    replaced = admin_client.put(places[level].url("user", row), {"user": member.pk}, format="json")
    assert replaced.json()["admin"] is False


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("level", Level)
def test_what_is_withdrawn_is_held_no_more(level, holder, places, holders, member, admin_client, client_of):
    row = grant(holders[holder], places[level].target, KEYS[level][0])

    assert admin_client.delete(places[level].url(holder, row)).status_code == 204

    assert admin_client.get(places[level].url(holder)).json() == []


@pytest.mark.parametrize("level", Level)
def test_one_row_alone_is_shown_below_the_organisation_only(level, places, member, admin_client):
    row = grant(member, places[level].target, KEYS[level][0])

    response = admin_client.get(places[level].url("user", row))

    if level is Level.ORGANISATION:
        assert response.status_code == 405
    else:
        assert response.json() == {
            "id": row.pk,
            "user": member.pk,
            "permissions": [KEYS[level][0]],
            "admin": False,
        }


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("level", Level)
def test_nobody_has_two_rows_on_one_object(level, holder, places, holders, admin_client):
    place = places[level]
    grant(holders[holder], place.target, KEYS[level][0])

    response = admin_client.post(
        place.url(holder), {holder: holders[holder].pk, "permissions": []}, format="json"
    )

    assert response.status_code == 400
    assert holder in response.json()
    assert place.target.grants.count() == 1


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("given", ["NO_SUCH_KEY", "EDIT_FEATURE", "of another level", "\0", 1, [], {}])
def test_only_keys_of_the_level_are_granted(given, level, places, member, admin_client):
    if given == "of another level":
        given = KEYS[Level.PROJECT if level is Level.ENVIRONMENT else Level.ENVIRONMENT][0]

    response = admin_client.post(
        places[level].url("user"),
        {"user": member.pk, "permissions": [KEYS[level][0], given]},
        format="json",
    )

    assert response.status_code == 400
    assert "permissions" in response.json()
    assert not places[level].target.grants.exists()


@pytest.mark.parametrize("level", Level)
def test_people_and_groups_of_other_organisations_are_granted_nothing(level, places, stranger, admin_client):
    strange_group = make_group(stranger.memberships.get().organisation, stranger)

    for holder, strange in [("user", stranger), ("group", strange_group)]:
        response = admin_client.post(
            places[level].url(holder), {holder: strange.pk, "permissions": [KEYS[level][0]]}, format="json"
        )
        assert response.status_code == 400
        assert holder in response.json()
    assert not places[level].target.grants.exists()


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_the_database_refuses_a_holder_of_another_organisation(kind, level, places, stranger):
    other = stranger.memberships.get().organisation
    strange = {"user": stranger, "group": make_group(other), "role": make_role(other)}[kind]

    with pytest.raises(IntegrityError, match="not of this organisation"):
        grant(strange, places[level].target, KEYS[level][0])


@pytest.mark.parametrize("kind", ["user", "group", "master_key"])
def test_the_database_refuses_a_role_for_another_organisation(kind, organisation, stranger):
    other = stranger.memberships.get().organisation
    key = other.master_keys.create(prefix="other")
    strange = {"user": stranger, "group": make_group(other), "master_key": key}[kind]

    with pytest.raises(IntegrityError, match="not of this organisation"):
        make_role(organisation, strange)


def rights_of(client: APIClient, url: str) -> list[int]:
    """Return what reading and granting answer."""
    return [client.get(url).status_code, client.post(url, {}, format="json").status_code]


@pytest.mark.parametrize("holder", HOLDERS)
def test_who_may_grant(holder, places, organisation, client_of):
    """An empty body is a 400 for who may."""
    project, environment = places[Level.PROJECT], places[Level.ENVIRONMENT]
    member, viewer, project_admin, environment_admin = (
        member_of(organisation, MemberRole.USER) for _ in range(4)
    )
    grant(viewer, organisation, *KEYS[Level.ORGANISATION])
    grant(viewer, project.target, *KEYS[Level.PROJECT])
    grant(viewer, environment.target, *KEYS[Level.ENVIRONMENT])
    grant(project_admin, project.target, admin=True)
    grant(environment_admin, environment.target, admin=True)

    rights = {
        name: [rights_of(client_of(user), places[level].url(holder)) for level in Level]
        for name, user in {
            "member": member,
            "viewer": viewer,
            "project admin": project_admin,
            "environment admin": environment_admin,
            "admin": member_of(organisation, MemberRole.ADMIN),
        }.items()
    }

    no, yes, looks = [403, 403], [200, 400], [200, 403]
    assert rights == {
        "member": [no, no, no],
        "viewer": [no, no, looks],
        "project admin": [no, yes, yes],
        "environment admin": [no, no, yes],
        "admin": [yes, yes, yes],
    }


def test_an_organisations_grants_are_found_by_holder(places, organisation, holders, admin, admin_client):
    place = places[Level.ORGANISATION]
    row = grant(holders["user"], organisation, "CREATE_PROJECT")
    grant(admin, organisation, "CREATE_PROJECT")
    of_group = grant(holders["group"], organisation, "CREATE_PROJECT")

    found = admin_client.get(place.url("user"), {"user": holders["user"].pk}).json()
    of_groups = admin_client.get(place.url("group"), {"group": holders["group"].pk}).json()

    assert [each["id"] for each in found] == [row.pk]
    assert [each["id"] for each in of_groups] == [of_group.pk]
    assert admin_client.get(place.url("user"), {"user": "abc"}).status_code == 400


# What somebody holds, and why


def test_where_a_users_permissions_come_from(places, organisation, environment, project, member, client_of):
    tag = project.tags.create(label="checkout")
    group, role = make_group(organisation, member), make_role(organisation, member)
    grant(member, environment, "VIEW_ENVIRONMENT")
    grant(group, environment, "VIEW_ENVIRONMENT", "VIEW_IDENTITIES")
    grant(role, environment, "UPDATE_FEATURE_STATE", tags=(tag.pk,))
    url = f"{places[Level.ENVIRONMENT].path}user-detailed-permissions/{member.pk}/"

    answer = client_of(member).get(url).json()

    from_group = [{"id": group.pk, "name": group.name}]
    from_role = [{"id": role.pk, "name": role.name, "tags": [tag.pk]}]
    assert answer == {
        "admin": False,
        "is_directly_granted": False,
        "derived_from": {"groups": [], "roles": []},
        "permissions": [
            {
                "permission_key": "VIEW_ENVIRONMENT",
                "is_directly_granted": True,
                "derived_from": {"groups": from_group, "roles": []},
            },
            {
                "permission_key": "UPDATE_FEATURE_STATE",
                "is_directly_granted": False,
                "derived_from": {"groups": [], "roles": from_role},
            },
            {
                "permission_key": "VIEW_IDENTITIES",
                "is_directly_granted": False,
                "derived_from": {"groups": from_group, "roles": []},
            },
        ],
    }


def test_an_environments_administrators_by_their_project_say_so(
    places, organisation, project, member, client_of
):
    group, role = make_group(organisation, member), make_role(organisation, member)
    grant(group, project, admin=True)
    grant(role, project, admin=True)
    url = f"{places[Level.ENVIRONMENT].path}user-detailed-permissions/{member.pk}/"

    answer = client_of(member).get(url).json()

    assert answer == {
        "admin": True,
        "is_directly_granted": False,
        "derived_from": {
            "groups": [{"id": group.pk, "name": group.name}],
            "roles": [{"id": role.pk, "name": role.name, "tags": []}],
        },
        "permissions": [],
    }


@pytest.mark.parametrize("level", Level)
def test_an_administrator_of_the_organisation_is_one_directly(level, places, admin, admin_client):
    answer = admin_client.get(f"{places[level].path}user-detailed-permissions/{admin.pk}/").json()

    assert (answer["admin"], answer["is_directly_granted"], answer["permissions"]) == (True, True, [])


@pytest.mark.parametrize("level", Level)
def test_details_of_others_are_for_administrators(
    level, places, organisation, member, admin, stranger, admin_client, client_of
):
    path = f"{places[level].path}user-detailed-permissions/"

    assert client_of(member).get(f"{path}{member.pk}/").status_code == 200
    assert client_of(member).get(f"{path}{admin.pk}/").status_code == 403
    assert admin_client.get(f"{path}{member.pk}/").status_code == 200
    assert admin_client.get(f"{path}{stranger.pk}/").status_code == 404
    assert admin_client.get(f"{path}{2**40}/").status_code == 404
    assert client_of(stranger).get(f"{path}{stranger.pk}/").status_code in {403, 404}


def test_all_that_a_user_may_do_in_a_project(places, organisation, project, member, admin_client, client_of):
    grant(make_group(organisation, member), project, "VIEW_PROJECT")
    role = grant(make_role(organisation, member), project, "DELETE_FEATURE")
    role.permissions = {"DELETE_FEATURE": [project.tags.create(label="old").pk]}
    role.save()
    url = f"{places[Level.PROJECT].path}all-user-permissions/{member.pk}/"

    assert admin_client.get(url).json() == {
        "permissions": ["VIEW_PROJECT"],
        "admin": False,
        "tag_based_permissions": [
            {"permissions": ["DELETE_FEATURE"], "tags": role.permissions["DELETE_FEATURE"]}
        ],
    }
    assert client_of(member).get(url).status_code == 403


def test_all_that_a_user_may_do_is_not_told_of_strangers(places, stranger, admin_client):
    path = f"{places[Level.PROJECT].path}all-user-permissions/"

    assert admin_client.get(f"{path}{stranger.pk}/").status_code == 404
