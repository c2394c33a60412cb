"""Projects over HTTP."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from audit.models import AuditRecord
from organisations.models import MemberRole, Organisation
from permissions.tests.factories import grant
from projects.models import Project

PROJECTS = "/api/v1/projects/"


def path_of(project: Project, rest: str = "") -> str:
    return f"{PROJECTS}{project.pk}/{rest}"


@pytest.fixture
def client(admin, client_of) -> APIClient:
    return client_of(admin)


@pytest.fixture
def stranger_client(stranger, client_of) -> APIClient:
    return client_of(stranger)


def test_a_project_in_full(client, project, feature):
    response = client.get(path_of(project))

    assert response.status_code == 200
    assert response.json() == {
        "id": project.pk,
        "uuid": str(project.uuid),
        "name": "Web shop",
        "organisation": project.organisation_id,
        "hide_disabled_flags": False,
        "enable_dynamo_db": False,
        "migration_status": "NOT_APPLICABLE",
        "use_edge_identities": False,
        "prevent_flag_defaults": False,
        "enable_realtime_updates": True,
        "only_allow_lower_case_feature_names": True,
        "feature_name_regex": None,
        "show_edge_identity_overrides_for_feature": False,
        "stale_flags_limit_days": 30,
        "edge_v2_migration_status": "NOT_STARTED",
        "minimum_change_request_approvals": None,
        "enforce_feature_owners": False,
        "max_segments_allowed": 100_000,
        "max_features_allowed": 100_000,
        "max_segment_overrides_allowed": 100_000,
        "total_features": 1,
        "total_segments": 0,
    }


def test_the_totals_count_what_is_left(client, project, feature):
    feature.delete()
    project.segments.create(name="Beta")

    body = client.get(path_of(project)).json()

    assert (body["total_features"], body["total_segments"]) == (0, 1)


def test_the_list_is_bare_and_without_the_size_of_each(client, project, stranger):
    Project.objects.create(organisation=stranger.memberships.get().organisation, name="Theirs")

    body = client.get(PROJECTS).json()

    assert [each["name"] for each in body] == ["Web shop"]
    assert "total_features" not in body[0]


def test_the_list_is_narrowed_by_organisation_and_uuid(client, admin, project):
    second = Organisation.objects.create(name="Second")
    second.memberships.create(user=admin, role=MemberRole.ADMIN)
    other = Project.objects.create(organisation=second, name="Other")

    def names(query: str) -> list[str]:
        return [each["name"] for each in client.get(PROJECTS + query).json()]

    assert names("") == ["Web shop", "Other"]
    assert names(f"?organisation={second.pk}") == ["Other"]
    assert names(f"?uuid={project.uuid}") == ["Web shop"]
    assert names(f"?uuid={project.uuid}&organisation={second.pk}") == []
    assert names("?organisation=") == ["Web shop", "Other"]
    assert names(f"?organisation={'9' * 30}") == []
    other.delete()
    assert names("") == ["Web shop"]


@pytest.mark.parametrize("given", ["abc", "1.5", "%00", "9" * 5000])
def test_an_organisation_that_is_no_number_is_named_in_a_plain_text(given, client):
    response = client.get(f"{PROJECTS}?organisation={given}")

    assert response.status_code == 400
    assert list(response.json()) == ["organisation"]
    if given != "%00":
        assert response.json() == {"organisation": "Must be a valid integer."}


def test_a_foreign_organisation_narrows_the_list_to_nothing(client, project, stranger):
    theirs = stranger.memberships.get().organisation_id

    assert client.get(f"{PROJECTS}?organisation={theirs}").json() == []


def test_a_project_is_made_and_no_environment_with_it(client, organisation):
    response = client.post(PROJECTS, {"name": "New", "organisation": organisation.pk})

    made = Project.objects.get(name="New")
    assert response.status_code == 201
    assert (response.json()["id"], response.json()["organisation"]) == (made.pk, organisation.pk)
    assert not made.environments.exists()
    assert not AuditRecord.objects.exists()


def test_all_settings_can_be_given_at_once(client, organisation):
    settings = {
        "hide_disabled_flags": True,
        "prevent_flag_defaults": True,
        "enable_realtime_updates": False,
        "only_allow_lower_case_feature_names": False,
        "feature_name_regex": "[a-z]+",
        "show_edge_identity_overrides_for_feature": True,
        "stale_flags_limit_days": 7,
        "minimum_change_request_approvals": 0,
        "enforce_feature_owners": True,
    }

    response = client.post(PROJECTS, {"name": "New", "organisation": organisation.pk, **settings})

    assert response.status_code == 201
    assert {name: response.json()[name] for name in settings} == settings


def test_making_projects_can_be_kept_to_administrators(admin_client, member, client_of, organisation):
    grant(member, organisation, "CREATE_PROJECT")
    organisation.restrict_project_create_to_admin = True
    organisation.save()
    body = {"name": "New", "organisation": organisation.pk}

    assert client_of(member).post(PROJECTS, body).status_code == 403
    assert admin_client.post(PROJECTS, body).status_code == 201


def test_who_creates_a_project_administers_it(member, client_of, organisation):
    grant(member, organisation, "CREATE_PROJECT")

    made = client_of(member).post(PROJECTS, {"name": "New", "organisation": organisation.pk}).json()

    permissions = client_of(member).get(f"{PROJECTS}{made['id']}/my-permissions/").json()
    assert permissions["admin"] is True


@pytest.mark.parametrize("is_known", [True, False])
def test_nobody_makes_a_project_in_an_organisation_they_do_not_belong_to(
    is_known, stranger_client, organisation
):
    organisation_id = organisation.pk if is_known else 999999

    response = stranger_client.post(PROJECTS, {"name": "New", "organisation": organisation_id})

    assert response.status_code == 403
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "x" * 2001),
        ("name", "nul \0"),
        ("organisation", None),
        ("organisation", "abc"),
        ("organisation", [1]),
        ("organisation", 2**40),
        ("feature_name_regex", "["),
        ("feature_name_regex", "x" * 256),
        ("stale_flags_limit_days", -1),
        ("stale_flags_limit_days", 2**31),
        ("minimum_change_request_approvals", 1.5),
        ("hide_disabled_flags", None),
    ],
)
def test_what_is_wrong_is_said_by_field(field, value, client, organisation):
    body = {"name": "New", "organisation": organisation.pk, field: value}

    response = client.post(PROJECTS, body)

    assert (response.status_code, list(response.json())) == (400, [field])
    assert not Project.objects.exists()


def test_the_organisation_is_required(client):
    assert client.post(PROJECTS, {"name": "New"}).json() == {"organisation": ["This field is required."]}


def test_a_name_is_free_in_another_organisation_and_after_deletion_only(client, project, stranger):
    refused = {"non_field_errors": ["A project with this name already exists."]}
    body = {"name": "Web shop", "organisation": project.organisation_id}
    theirs = stranger.memberships.get().organisation
    Project.objects.create(organisation=theirs, name="Web shop")
    other = Project.objects.create(organisation_id=project.organisation_id, name="Other")

    again = client.post(PROJECTS, body)
    renamed = client.put(path_of(other), {"name": "Web shop"})
    project.delete()
    after_deletion = client.post(PROJECTS, body)

    assert [(each.status_code, each.json()) for each in (again, renamed)] == [(400, refused)] * 2
    assert after_deletion.status_code == 201


def test_put_needs_the_name_and_patch_does_not(client, project):
    assert client.put(path_of(project), {}).json() == {"name": ["This field is required."]}
    assert client.patch(path_of(project), {"stale_flags_limit_days": 7}).status_code == 200
    project.refresh_from_db()
    assert (project.name, project.stale_flags_limit_days) == ("Web shop", 7)


def test_what_is_read_only_is_ignored_in_an_update(client, admin, project):
    second = Organisation.objects.create(name="Second")
    second.memberships.create(user=admin, role=MemberRole.ADMIN)
    before = client.get(path_of(project)).json()

    response = client.put(
        path_of(project),
        {**before, "name": "Renamed", "organisation": second.pk, "use_edge_identities": True, "uuid": "x"},
    )

    expected = {**before, "name": "Renamed"}
    assert response.status_code == 200
    assert response.json() == {name: expected[name] for name in response.json()}
    assert len(response.json()) == len(before) - 5


def test_a_change_writes_no_audit_record(client, project):
    client.put(path_of(project), {"name": "Renamed"})
    client.delete(path_of(project))

    assert not AuditRecord.objects.exists()


def test_hiding_disabled_flags_is_seen_by_sdks(client, sdk_client, project, feature):
    before = sdk_client.get("/api/v1/flags/").json()

    client.patch(path_of(project), {"hide_disabled_flags": True})

    assert (len(before), sdk_client.get("/api/v1/flags/").json()) == (1, [])


def test_a_deleted_project_is_gone_with_all_that_is_in_it(
    client, sdk_client, server_sdk_client, project, environment, feature
):
    tag = project.tags.create(label="new")

    response = client.delete(path_of(project))

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(PROJECTS).json() == []
    for path in (
        path_of(project),
        path_of(project, "environments/"),
        path_of(project, f"tags/{tag.pk}/"),
        path_of(project, f"tags/get-by-uuid/{tag.uuid}/"),
        f"{PROJECTS}get-by-uuid/{project.uuid}/",
        f"/api/v1/environments/{environment.api_key}/",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get(f"/api/v1/environments/?project={project.pk}").status_code == 400
    assert sdk_client.get("/api/v1/flags/").status_code == 403
    assert server_sdk_client.get("/api/v1/environment-document/").status_code == 403


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_project_of_others_is_hidden(method, stranger_client, project):
    response = getattr(stranger_client, method)(path_of(project), {"name": "Mine"})

    project.refresh_from_db()
    assert response.status_code == 404
    assert (project.name, project.deleted_at) == ("Web shop", None)


@pytest.mark.parametrize("rest", ["my-permissions/", "environments/", "tags/get-by-uuid/{}/"])
def test_nothing_below_a_project_of_others_is_shown(rest, stranger_client, project):
    assert stranger_client.get(path_of(project, rest.format(uuid4()))).status_code == 404


@pytest.mark.parametrize("project_id", ["999999", "abc", "-1", "1.5", "9" * 30, "9" * 5000, "%00"])
def test_an_id_that_names_no_project_is_a_404(project_id, client):
    assert client.get(f"{PROJECTS}{project_id}/").status_code == 404


def test_members_find_a_project_by_uuid(client, stranger_client, project):
    path = f"{PROJECTS}get-by-uuid/{project.uuid}/"

    assert client.get(path).json()["id"] == project.pk
    assert "total_features" not in client.get(path).json()
    assert stranger_client.get(path).status_code == 404
    assert client.get(f"{PROJECTS}get-by-uuid/{uuid4()}/").status_code == 404


def test_an_organisation_lists_its_projects(client, admin, project):
    second = Organisation.objects.create(name="Second")
    second.memberships.create(user=admin, role=MemberRole.ADMIN)
    Project.objects.create(organisation=second, name="Other")

    response = client.get(f"/api/v1/organisations/{project.organisation_id}/projects/")

    assert [each["name"] for each in response.json()] == ["Web shop"]


def test_a_project_lists_its_environments_without_custom_fields(client, environment):
    response = client.get(path_of(environment.project, "environments/"))

    assert [each["api_key"] for each in response.json()] == [environment.api_key]
    assert "metadata" not in response.json()[0]


def test_the_permissions_of_the_level_are_a_bare_list(client):
    body = client.get(f"{PROJECTS}permissions/").json()

    assert len(body) == 10
    assert body[0] == {
        "key": "VIEW_PROJECT",
        "description": "See this project, its features, segments and tags.",
        "supports_tag": False,
    }


def test_everyone_sees_their_own_permissions(client, member, client_of, project):
    grant(member, project, "MANAGE_TAGS", "VIEW_PROJECT")
    path = path_of(project, "my-permissions/")

    assert client.get(path).json() == {"permissions": [], "admin": True, "tag_based_permissions": []}
    assert client_of(member).get(path).json() == {
        "permissions": ["VIEW_PROJECT", "MANAGE_TAGS"],
        "admin": False,
        "tag_based_permissions": [],
    }


def test_nobody_is_let_in(project):
    assert APIClient().get(PROJECTS).status_code == 401
    assert APIClient().get(path_of(project)).status_code == 401
    assert APIClient().delete(path_of(project)).status_code == 401
