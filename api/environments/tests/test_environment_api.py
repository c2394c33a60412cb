"""Environments over HTTP."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from audit.models import AuditRecord, RelatedObjectType
from environments.models import Environment
from permissions.tests.factories import grant
from projects.models import Project
from users.models import User

ENVIRONMENTS = "/api/v1/environments/"


def path_of(environment: Environment, rest: str = "") -> str:
    return f"{ENVIRONMENTS}{environment.api_key}/{rest}"


@pytest.fixture
def client(member, project, client_of) -> APIClient:
    """Signed in as an administrator of the project, who is a plain member of its organisation."""
    grant(member, project, admin=True)
    return client_of(member)


@pytest.fixture
def stranger_client(stranger, client_of) -> APIClient:
    return client_of(stranger)


def test_an_environment_in_full(client, environment):
    response = client.get(path_of(environment))

    assert response.status_code == 200
    assert response.json() == {
        "id": environment.pk,
        "uuid": str(environment.uuid),
        "name": "Production",
        "api_key": environment.api_key,
        "description": None,
        "project": environment.project_id,
        "minimum_change_request_approvals": None,
        "allow_client_traits": True,
        "banner_text": None,
        "banner_colour": None,
        "hide_disabled_flags": None,
        "use_mv_v2_evaluation": True,
        "use_identity_composite_key_for_hashing": True,
        "hide_sensitive_data": False,
        "use_v2_feature_versioning": False,
        "use_identity_overrides_in_local_eval": True,
        "is_creating": False,
        "metadata": [],
        "total_segment_overrides": 0,
    }


def test_the_total_of_segment_overrides_counts_what_is_served(client, environment, feature):
    segments = [environment.project.segments.create(name=name) for name in "abc"]
    overrides = [
        environment.feature_segments.create(feature=feature, segment=segment, priority=number)
        for number, segment in enumerate(segments)
    ]
    overrides[0].delete()
    environment.feature_segments.filter(pk=overrides[1].pk).update(is_live=False)

    assert client.get(path_of(environment)).json()["total_segment_overrides"] == 1


def test_the_list_has_one_projects_environments_in_pages(client, environment, organisation):
    second = Environment.objects.create(project=environment.project, name="Staging")
    other = Project.objects.create(organisation=organisation, name="Other")
    Environment.objects.create(project=other, name="Elsewhere")

    body = client.get(f"{ENVIRONMENTS}?project={environment.project_id}").json()

    assert (body["count"], body["next"], body["previous"]) == (2, None, None)
    assert [each["id"] for each in body["results"]] == [environment.pk, second.pk]
    assert "total_segment_overrides" not in body["results"][0]


@pytest.mark.parametrize("query", ["", "?project=", "?project=abc", "?project=-1", "?project=999999"])
def test_a_list_needs_a_project_that_there_is(query, client, client_of):
    superuser = User.objects.create_superuser("root@example.org", "x")

    responses = [each.get(ENVIRONMENTS + query) for each in (client, client_of(superuser))]

    refused = ["Invalid or missing value for project parameter."]
    assert [(each.status_code, each.json()) for each in responses] == [(400, refused)] * 2


def test_a_project_of_others_is_as_good_as_none(stranger_client, environment):
    response = stranger_client.get(f"{ENVIRONMENTS}?project={environment.project_id}")

    assert (response.status_code, response.json()) == (
        400,
        ["Invalid or missing value for project parameter."],
    )


@pytest.mark.parametrize("page", ["2", "0", "-1", "9" * 30])
def test_a_page_that_is_not_there_is_a_404(page, client, environment):
    response = client.get(f"{ENVIRONMENTS}?project={environment.project_id}&page={page}")

    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


def test_a_new_environment_has_a_key_and_every_features_state(client, project, feature):
    response = client.post(ENVIRONMENTS, {"name": "Staging", "project": project.pk})

    made = Environment.objects.get(name="Staging")
    assert response.status_code == 201
    assert response.json()["api_key"] == made.api_key
    assert len(made.api_key) == 22
    assert response.json()["metadata"] == []
    flags = APIClient(headers={"X-Environment-Key": made.api_key}).get("/api/v1/flags/").json()
    assert [(each["feature"]["name"], each["feature_state_value"]) for each in flags] == [
        ("new_checkout", "blue")
    ]


def test_the_key_can_be_chosen_and_works(client, project):
    response = client.post(
        ENVIRONMENTS, {"name": "Staging", "project": project.pk, "api_key": "staging_key-1.0~x"}
    )

    assert response.status_code == 201
    assert client.get(f"{ENVIRONMENTS}staging_key-1.0~x/").json()["name"] == "Staging"
    sdk = APIClient(headers={"X-Environment-Key": "staging_key-1.0~x"})
    assert sdk.get("/api/v1/flags/").status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "ser.abc",
        "a/b",
        "a b",
        "",
        "x" * 101,
        "ключ",
        "a\tb",
        "nul\0",
        ".",
        "..",
        "permissions",
        "get-by-uuid",
    ],
)
def test_a_key_that_could_not_be_sent_or_found_is_refused(key, client, project):
    response = client.post(ENVIRONMENTS, {"name": "Staging", "project": project.pk, "api_key": key})

    assert (response.status_code, list(response.json())) == (400, ["api_key"])
    assert not Environment.objects.exists()


def test_a_key_belongs_to_one_environment_for_good(client, environment, stranger):
    theirs = Project.objects.create(organisation=stranger.memberships.get().organisation, name="Theirs")
    taken = Environment.objects.create(project=theirs, name="Theirs", api_key="theirs")
    gone = Environment.objects.create(project=environment.project, name="Gone", api_key="gone")
    gone.delete()

    responses = [client.patch(path_of(environment), {"api_key": each.api_key}) for each in (taken, gone)]

    refused = {"api_key": ["Environment with this api key already exists."]}
    assert [(each.status_code, each.json()) for each in responses] == [(400, refused)] * 2


def test_a_changed_key_works_and_the_old_one_does_not(client, sdk_client, environment):
    assert client.patch(path_of(environment), {"api_key": "new"}).status_code == 200

    assert sdk_client.get("/api/v1/flags/").status_code == 403
    assert APIClient(headers={"X-Environment-Key": "new"}).get("/api/v1/flags/").status_code == 200
    assert client.get(path_of(environment)).status_code == 404


@pytest.mark.parametrize(
    "fields", [{}, {"project": None}, {"project": "abc"}, {"project": 999999}, {"project": [1]}]
)
def test_creating_in_no_project_or_a_bad_one_is_forbidden(fields, client):
    assert client.post(ENVIRONMENTS, {"name": "Staging", **fields}).status_code == 403


def test_creating_in_a_project_of_others_is_forbidden(stranger_client, project):
    response = stranger_client.post(ENVIRONMENTS, {"name": "Staging", "project": project.pk})

    assert response.status_code == 403
    assert not Environment.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "x" * 2001),
        ("name", {"a": 1}),
        ("description", "x" * 20_001),
        ("banner_text", "x" * 256),
        ("banner_colour", "#1234567"),
        ("minimum_change_request_approvals", -1),
        ("minimum_change_request_approvals", 2**31),
        ("allow_client_traits", None),
        ("hide_disabled_flags", "perhaps"),
    ],
)
def test_what_is_wrong_is_said_by_field(field, value, client, project, environment):
    made = client.post(ENVIRONMENTS, {"name": "Staging", "project": project.pk, field: value})
    changed = client.put(path_of(environment), {"name": "Renamed", field: value})

    assert [(each.status_code, list(each.json())) for each in (made, changed)] == [(400, [field])] * 2
    assert list(Environment.objects.values_list("name", flat=True)) == ["Production"]


def test_a_name_is_taken_once_in_a_project(client, member, environment, organisation):
    refused = {"non_field_errors": ["An environment with this name already exists."]}
    second = Environment.objects.create(project=environment.project, name="Staging")
    other = Project.objects.create(organisation=organisation, name="Other")
    grant(member, other, "CREATE_ENVIRONMENT")

    made = client.post(ENVIRONMENTS, {"name": "Production", "project": environment.project_id})
    renamed = client.put(path_of(second), {"name": "Production"})
    elsewhere = client.post(ENVIRONMENTS, {"name": "Production", "project": other.pk})
    environment.delete()
    after_deletion = client.post(ENVIRONMENTS, {"name": "Production", "project": environment.project_id})

    assert [(each.status_code, each.json()) for each in (made, renamed)] == [(400, refused)] * 2
    assert (elsewhere.status_code, after_deletion.status_code) == (201, 201)


def test_what_is_read_only_is_ignored_in_an_update(client, environment, organisation):
    other = Project.objects.create(organisation=organisation, name="Other")
    before = client.get(path_of(environment)).json()

    response = client.put(
        path_of(environment),
        {
            **before,
            "name": "Renamed",
            "project": other.pk,
            "is_creating": True,
            "use_v2_feature_versioning": True,
            "use_mv_v2_evaluation": False,
        },
    )

    del before["total_segment_overrides"]
    assert response.status_code == 200
    assert response.json() == {**before, "name": "Renamed"}


def test_a_patch_answers_with_the_whole_environment(client, environment):
    response = client.patch(path_of(environment), {"use_identity_composite_key_for_hashing": False})

    listed = client.get(f"{ENVIRONMENTS}?project={environment.project_id}").json()["results"][0]
    assert response.json() == listed
    assert response.json()["use_mv_v2_evaluation"] is False


def test_creating_is_recorded(client, member, project):
    environment_id = client.post(ENVIRONMENTS, {"name": "Staging", "project": project.pk}).json()["id"]

    record = AuditRecord.objects.get()
    assert record.log == "New Environment created: Staging"
    assert (record.author, record.project, record.environment_id) == (member, project, environment_id)
    assert (record.related_object_type, record.related_object_id) == (
        RelatedObjectType.ENVIRONMENT,
        environment_id,
    )
    assert record.changes == []


def test_what_was_changed_is_recorded_and_nothing_else(client, environment):
    body = {"name": "Renamed", "allow_client_traits": True, "banner_text": "Careful"}

    client.put(path_of(environment), body)
    client.put(path_of(environment), body)

    record = AuditRecord.objects.get()
    assert record.log == "Environment updated: Renamed"
    assert record.changes == [
        {"field": "name", "old": "Production", "new": "Renamed"},
        {"field": "banner_text", "old": None, "new": "Careful"},
    ]


def test_a_refused_change_is_not_recorded(client, environment):
    Environment.objects.create(project=environment.project, name="Staging")

    assert client.put(path_of(environment), {"name": "Staging"}).status_code == 400

    assert not AuditRecord.objects.exists()


def test_a_deleted_environment_is_gone_for_everyone(client, sdk_client, server_sdk_client, environment):
    response = client.delete(path_of(environment))

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(path_of(environment)).status_code == 404
    assert client.get(path_of(environment, "api-keys/")).status_code == 403
    assert client.get(f"{ENVIRONMENTS}get-by-uuid/{environment.uuid}/").status_code == 404
    assert client.get(f"{ENVIRONMENTS}?project={environment.project_id}").json()["count"] == 0
    assert sdk_client.get("/api/v1/flags/").status_code == 403
    assert server_sdk_client.get("/api/v1/environment-document/").status_code == 403
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
@pytest.mark.parametrize("is_known", [True, False])
def test_an_environment_of_others_is_as_good_as_none(is_known, method, stranger_client, environment):
    path = path_of(environment) if is_known else f"{ENVIRONMENTS}unknown/"

    response = getattr(stranger_client, method)(path, {"name": "Mine"})

    environment.refresh_from_db()
    assert response.status_code == 404
    assert (environment.name, environment.deleted_at) == ("Production", None)


@pytest.mark.parametrize("key", ["%00", "%FF", "a" * 5000, "ser.abc"])
@pytest.mark.parametrize("rest", ["", "my-permissions/"])
def test_a_malformed_key_is_not_found(rest, key, client):
    assert client.get(f"{ENVIRONMENTS}{key}/{rest}").status_code == 404


def test_an_environment_is_found_by_uuid(client, stranger_client, environment):
    path = f"{ENVIRONMENTS}get-by-uuid/{environment.uuid}/"

    assert client.get(path).json()["api_key"] == environment.api_key
    assert stranger_client.get(path).status_code == 404
    assert client.get(f"{ENVIRONMENTS}get-by-uuid/{uuid4()}/").status_code == 404
    assert client.get(f"{ENVIRONMENTS}get-by-uuid/abc/").status_code == 404


def test_an_environment_that_outlived_its_project_is_not_found(client, environment):
    """It came into being while the project was being deleted."""
    Project.objects.filter(pk=environment.project_id).update(deleted_at=environment.created_date)

    assert client.get(path_of(environment)).status_code == 404
    assert client.get(path_of(environment, "api-keys/")).status_code == 403


def test_the_permissions_of_the_level_are_a_bare_list(client):
    body = client.get(f"{ENVIRONMENTS}permissions/").json()

    assert [each["key"] for each in body if each["supports_tag"]] == [
        "UPDATE_FEATURE_STATE",
        "MANAGE_SEGMENT_OVERRIDES",
        "CREATE_CHANGE_REQUEST",
        "APPROVE_CHANGE_REQUEST",
        "BREAK_GLASS",
    ]
    assert len(body) == 8


def test_everyone_sees_their_own_permissions(client, stranger_client, environment):
    path = path_of(environment, "my-permissions/")

    assert client.get(path).json() == {"permissions": [], "admin": True, "tag_based_permissions": []}
    assert stranger_client.get(path).status_code == 404


def test_nobody_is_let_in(environment):
    assert APIClient().get(path_of(environment)).status_code == 401
    assert APIClient().get(f"{ENVIRONMENTS}?project={environment.project_id}").status_code == 401
    assert APIClient().post(ENVIRONMENTS, {"name": "x", "project": environment.project_id}).status_code == 401
