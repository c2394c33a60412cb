"""Roles over HTTP: who has them, and what they grant."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from environments.models import Environment
from features.models import Feature, FeatureState
from organisations.models import Organisation
from organisations.tests.factories import machine_client, make_key
from permissions.access import may
from permissions.models import Role
from permissions.tests.factories import grant, make_group, make_role
from projects.models import Project, Tag


@pytest.fixture
def role(organisation) -> Role:
    return make_role(organisation)


@pytest.fixture
def tag(project) -> Tag:
    return project.tags.create(label="checkout")


@pytest.fixture
def elsewhere(stranger) -> Environment:
    """An environment of another organisation."""
    project = Project.objects.create(organisation=stranger.memberships.get().organisation, name="Theirs")
    return Environment.objects.create(project=project, name="Theirs")


def path_of(organisation: Organisation, rest: str = "roles/") -> str:
    return f"/api/v1/organisations/{organisation.pk}/{rest}"


def within(role: Role, rest: str) -> str:
    return path_of(role.organisation, f"roles/{role.pk}/{rest}")


def send(client: APIClient, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, body, format="json")


def test_a_role_from_its_making_to_its_end(admin_client, organisation, tag):
    made = send(admin_client, "post", path_of(organisation), {"name": "Releaser", "tags": [tag.pk]})
    shown = {
        "id": made.json()["id"],
        "name": "Releaser",
        "description": None,
        "organisation": organisation.pk,
        "tags": [tag.pk],
    }
    path = path_of(organisation, f"roles/{shown['id']}/")

    assert (made.status_code, made.json()) == (201, shown)
    assert admin_client.get(path_of(organisation)).json()["results"] == [shown]
    assert admin_client.get(path).json() == shown
    assert send(admin_client, "patch", path, {"description": "Ships"}).json() == {
        **shown,
        "description": "Ships",
    }
    assert send(admin_client, "put", path, {"name": "Shipper", "tags": []}).json()["tags"] == []
    assert admin_client.delete(path).status_code == 204
    assert admin_client.get(path).status_code == 404


def test_tags_of_others_are_none(admin_client, organisation, elsewhere):
    strange = elsewhere.project.tags.create(label="theirs")

    response = send(admin_client, "post", path_of(organisation), {"name": "Releaser", "tags": [strange.pk]})

    assert response.status_code == 400
    assert "tags" in response.json()
    assert not Role.objects.filter(organisation=organisation).exists()


@pytest.fixture
def holders(organisation, member) -> dict[str, tuple[str, Any]]:
    """Of each kind the field's name, and one who may be given a role."""
    return {
        "users": ("user", member),
        "groups": ("group", make_group(organisation, member)),
        "master-api-keys": (
            "master_api_key",
            organisation.master_keys.create(prefix="machine", is_admin=False),
        ),
    }


def id_of(holder: Any) -> int | str:
    return holder.pk if isinstance(holder.pk, int) else str(holder.pk)


@pytest.mark.parametrize("kind", ["users", "groups", "master-api-keys"])
def test_a_role_is_given_and_taken_away(kind, admin_client, role, holders):
    name, holder = holders[kind]

    given = send(admin_client, "post", within(role, f"{kind}/"), {name: id_of(holder)})

    shown = {"id": given.json()["id"], name: id_of(holder), "role": role.pk, "role_name": role.name}
    path = within(role, f"{kind}/{shown['id']}/")
    assert (given.status_code, given.json()) == (201, shown)
    assert admin_client.get(within(role, f"{kind}/")).json()["results"] == [shown]
    assert send(admin_client, "put", path, {name: id_of(holder)}).json() == shown
    again = send(admin_client, "post", within(role, f"{kind}/"), {name: id_of(holder)})
    assert again.status_code == 400
    assert admin_client.delete(path).status_code == 204
    assert not role.assignments.exists()


@pytest.mark.parametrize("kind", ["users", "groups", "master-api-keys"])
def test_a_role_is_for_its_own_organisation(kind, admin_client, role, stranger, holders):
    name, _ = holders[kind]
    other = stranger.memberships.get().organisation
    strange = {
        "users": stranger,
        "groups": make_group(other, stranger),
        "master-api-keys": other.master_keys.create(prefix="theirs"),
    }[kind]

    response = send(admin_client, "post", within(role, f"{kind}/"), {name: id_of(strange)})

    assert response.status_code == 400
    assert name in response.json()
    assert not role.assignments.exists()


@pytest.mark.parametrize("kind", ["users", "groups", "master-api-keys"])
def test_the_roles_of_somebody_are_listed_and_detached(kind, admin_client, organisation, holders):
    _, holder = holders[kind]
    role, kept = make_role(organisation, holder), make_role(organisation, holder)
    make_role(organisation)
    named = holder.prefix if kind == "master-api-keys" else holder.pk
    path = path_of(organisation, f"{kind}/{named}/roles/")
    action = "detach-roles-from-master-api-key/" if kind == "master-api-keys" else ""

    listed = admin_client.get(path).json()["results"]
    detached = admin_client.delete(f"{path}{role.pk}/{action}")

    assert [each["id"] for each in listed] == [role.pk, kept.pk]
    assert detached.status_code == 204
    assert [each["id"] for each in admin_client.get(path).json()["results"]] == [kept.pk]
    assert admin_client.delete(f"{path}{role.pk}/{action}").status_code == 404


def test_what_a_role_grants_on_its_organisation(admin_client, organisation, role, member):
    role.assignments.create(user=member)
    path = within(role, "organisation-permissions/")

    granted = send(admin_client, "post", path, {"permissions": ["CREATE_PROJECT"]})

    assert granted.status_code == 201
    assert granted.json() == {
        "id": granted.json()["id"],
        "role": role.pk,
        "permissions": ["CREATE_PROJECT"],
    }
    assert may(member, "CREATE_PROJECT", organisation)
    assert send(admin_client, "post", path, {"permissions": []}).status_code == 400
    assert send(admin_client, "put", f"{path}{granted.json()['id']}/", {"permissions": []}).status_code == 200
    assert not may(member, "CREATE_PROJECT", organisation)


KINDS = ["project", "environment"]
TAGGABLE = {"project": "DELETE_FEATURE", "environment": "UPDATE_FEATURE_STATE"}
PLAIN = {"project": "VIEW_PROJECT", "environment": "VIEW_ENVIRONMENT"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_role_grants_may_be_for_features_with_certain_tags(
    kind, admin_client, role, member, tag, project, environment
):
    role.assignments.create(user=member)
    target = {"project": project, "environment": environment}[kind]
    path = within(role, f"{kind}s-permissions/")
    permissions = [
        {"permission_key": TAGGABLE[kind], "tags": [tag.pk]},
        {"permission_key": PLAIN[kind], "tags": []},
    ]

    granted = send(admin_client, "post", path, {kind: target.pk, "permissions": permissions})

    assert granted.json() == {
        "id": granted.json()["id"],
        "role": role.pk,
        kind: target.pk,
        "permissions": sorted(permissions, key=lambda each: str(each["permission_key"])),
        "admin": False,
    }
    assert admin_client.get(path, {kind: target.pk}).json()["results"] == [granted.json()]
    assert may(member, TAGGABLE[kind], target, tags=[tag.pk])
    assert not may(member, TAGGABLE[kind], target, tags=[])
    assert may(member, PLAIN[kind], target)
    row = f"{path}{granted.json()['id']}/"
    assert send(admin_client, "patch", row, {"admin": True}).json()["admin"] is True
    assert may(member, TAGGABLE[kind], target)
    assert send(admin_client, "put", row, {}).json()["permissions"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_what_a_role_grants_is_about_one_object(kind, admin_client, role, project, environment):
    assert admin_client.get(within(role, f"{kind}s-permissions/")).status_code == 400
    assert admin_client.get(within(role, f"{kind}s-permissions/"), {kind: "abc"}).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_grants_nothing_elsewhere(kind, admin_client, role, elsewhere, project, environment):
    path = within(role, f"{kind}s-permissions/")
    strange = elsewhere.project if kind == "project" else elsewhere
    own = project if kind == "project" else environment
    strange_tag = elsewhere.project.tags.create(label="theirs")
    tagged = [{"permission_key": TAGGABLE[kind], "tags": [strange_tag.pk]}]

    refusals = [
        send(admin_client, "post", path, {kind: strange.pk, "permissions": []}),
        send(admin_client, "post", path, {kind: own.pk, "permissions": tagged}),
    ]

    assert [each.status_code for each in refusals] == [400, 400]
    assert [list(each.json()) for each in refusals] == [[kind], ["tags"]]
    assert not own.grants.exists()


@pytest.mark.parametrize(
    ("key", "tagged"),
    [("VIEW_PROJECT", True), ("NO_SUCH_KEY", False), ("UPDATE_FEATURE_STATE", False)],
)
def test_keys_of_the_level_only_and_tags_where_they_mean_something(
    key, tagged, admin_client, role, project, tag
):
    entry = {"permission_key": key, "tags": [tag.pk] if tagged else []}

    response = send(
        admin_client,
        "post",
        within(role, "projects-permissions/"),
        {"project": project.pk, "permissions": [entry]},
    )

    assert response.status_code == 400
    assert "permissions" in response.json()


def test_a_permission_for_a_deleted_tag_is_gone_and_not_for_everything(
    admin_client, role, member, project, environment, tag
):
    other = project.tags.create(label="other")
    role.assignments.create(user=member)
    grant(role, environment, "UPDATE_FEATURE_STATE", tags=(tag.pk,))
    of_two = grant(role, project, "DELETE_FEATURE", tags=(tag.pk, other.pk))

    assert admin_client.delete(f"/api/v1/projects/{project.pk}/tags/{tag.pk}/").status_code == 204

    of_two.refresh_from_db()
    assert not may(member, "UPDATE_FEATURE_STATE", environment, tags=[tag.pk, other.pk])
    assert of_two.permissions == {"DELETE_FEATURE": [other.pk]}


def test_a_machine_may_do_what_its_keys_roles_say_and_no_more(
    organisation, role, environment, feature, tag, admin_client
):
    key = make_key(organisation, is_admin=False)
    feature.tags.add(tag)
    untagged = Feature.objects.create(project=environment.project, name="untagged")
    send(admin_client, "post", within(role, "master-api-keys/"), {"master_api_key": str(key.pk)})
    granted = [{"permission_key": "UPDATE_FEATURE_STATE", "tags": [tag.pk]}]
    send(
        admin_client,
        "post",
        within(role, "environments-permissions/"),
        {"environment": environment.pk, "permissions": granted},
    )
    client, states = machine_client(key), f"/api/v1/environments/{environment.api_key}/featurestates/"

    def switch_on(switched: Feature) -> int:
        state = FeatureState.objects.get(feature=switched)
        status: int = send(client, "patch", f"{states}{state.pk}/", {"enabled": True}).status_code
        return status

    assert (switch_on(feature), switch_on(untagged)) == (200, 403)
    assert client.get(states).status_code == 403
    role.assignments.all().delete()
    assert switch_on(feature) == 403


def test_roles_are_for_administrators(organisation, role, member, stranger, client_of):
    grant(member, organisation, "CREATE_PROJECT", "MANAGE_USER_GROUPS")
    paths = [
        path_of(organisation),
        within(role, ""),
        within(role, "users/"),
        within(role, "projects-permissions/?project=1"),
        path_of(organisation, f"users/{member.pk}/roles/"),
    ]

    assert {client_of(user).get(path).status_code for user in (member, stranger) for path in paths} == {403}


def test_a_role_of_another_organisation_is_none(admin_client, organisation, stranger):
    strange = make_role(stranger.memberships.get().organisation)

    assert admin_client.get(path_of(organisation, f"roles/{strange.pk}/")).status_code == 404
    assert admin_client.get(path_of(organisation, f"roles/{strange.pk}/users/")).status_code == 404
