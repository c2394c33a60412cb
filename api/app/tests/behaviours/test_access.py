"""Who gets which status, where that is easy to get wrong."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from environments.models import Environment
from features.tests.factories import make_feature, make_segment_override
from identities.models import Identity
from metadata.kinds import content_type_of
from organisations.models import Organisation
from permissions.tests.factories import grant, make_group
from projects.models import Project
from segments.tests.factories import make_segment


@pytest.fixture
def member_client(member, client_of) -> APIClient:
    return client_of(member)


@pytest.fixture
def sibling(organisation) -> Project:
    """Another project of the same organisation, with an environment."""
    project = Project.objects.create(organisation=organisation, name="Sibling")
    Environment.objects.create(project=project, name="Production")
    return project


def at(environment: Environment, path: str = "") -> str:
    return f"/api/v1/environments/{environment.api_key}/{path}"


def status(client: APIClient, method: str, path: str, body: Any = None) -> int:
    return getattr(client, method)(path, body, format="json").status_code


def test_members_find_their_organisation_in_the_list_and_not_by_itself(organisation, member_client):
    listed = member_client.get("/api/v1/organisations/").json()["results"]

    assert [each["id"] for each in listed] == [organisation.pk]
    assert status(member_client, "get", f"/api/v1/organisations/{organisation.pk}/") == 403
    assert status(member_client, "get", "/api/v1/organisations/acme/") == 400


def test_administrators_have_all_permissions_without_a_list_of_them(
    organisation, project, environment, admin_client, member, member_client
):
    of_organisation = admin_client.get(f"/api/v1/organisations/{organisation.pk}/my-permissions/").json()
    group = make_group(organisation, member, name="Owners")
    grant(group, project, admin=True)

    of_environment = member_client.get(at(environment, "my-permissions/")).json()
    detailed = member_client.get(at(environment, f"user-detailed-permissions/{member.pk}/")).json()

    assert (of_organisation["admin"], of_organisation["permissions"]) == (True, [])
    assert of_environment["admin"] is True
    assert [each["name"] for each in detailed["derived_from"]["groups"]] == ["Owners"]


def test_who_left_the_organisation_has_nothing_of_what_was_granted(
    organisation, project, member, member_client
):
    grant(member, project, admin=True)
    before = status(member_client, "get", f"/api/v1/projects/{project.pk}/")

    organisation.memberships.filter(user=member).delete()

    assert before == 200
    assert status(member_client, "get", f"/api/v1/projects/{project.pk}/") == 404


def test_features_of_a_hidden_project_are_not_found_and_none_is_made_there(project, member_client):
    url = f"/api/v1/projects/{project.pk}/features/"

    assert status(member_client, "get", url) == 404
    assert status(member_client, "post", url, {"name": "x"}) == 403


def test_ids_of_other_projects_are_refused_in_bodies(admin_client, project, environment, feature, sibling):
    foreign = make_feature(sibling)
    foreign_segment = make_segment(sibling)
    foreign_tag = sibling.tags.create(label="theirs")
    segment_update = {
        "feature": {"id": feature.pk},
        "enabled": True,
        "value": {"type": "string", "value": "x"},
        "segment": {"id": foreign_segment.pk},
    }

    statuses = {
        "feature of a state": status(
            admin_client, "post", at(environment, "featurestates/"), {"feature": foreign.pk}
        ),
        "tag": status(
            admin_client,
            "patch",
            f"/api/v1/projects/{project.pk}/features/{feature.pk}/",
            {"tags": [foreign_tag.pk]},
        ),
        "segment": status(
            admin_client,
            "post",
            f"/api/experiments/environments/{environment.api_key}/update-flag-v1/",
            segment_update,
        ),
    }

    assert statuses == {"feature of a state": 403, "tag": 400, "segment": 400}
    assert feature.feature_states.count() == 1


def test_the_environment_of_a_new_state_is_the_paths(admin_client, project, environment, feature):
    staging = Environment.objects.create(project=project, name="Staging")
    identity = Identity.objects.create(environment=environment, identifier="kim")
    body = {"feature": feature.pk, "identity": identity.pk, "enabled": True, "environment": staging.pk}

    response = admin_client.post(at(environment, "featurestates/"), body, format="json")

    assert (response.status_code, response.json()["environment"]) == (201, environment.pk)
    assert feature.feature_states.filter(environment=staging).count() == 1


def test_segment_overrides_and_defaults_need_different_permissions(
    project, environment, feature, member, client_of, organisation
):
    override = make_segment_override(feature, environment, make_segment(project))
    default = feature.feature_states.get(feature_segment=None)
    body = {
        "feature": feature.pk,
        "environment": environment.pk,
        "enabled": True,
        "feature_state_value": {"type": "unicode", "string_value": "x"},
        "multivariate_feature_state_values": [],
    }

    def changes_by_who_holds(permission: str) -> tuple[int, int]:
        held = grant(member, environment, permission, "VIEW_ENVIRONMENT")
        client = client_of(member)
        place = {"feature_segment": override.feature_segment_id}
        made = (
            status(client, "put", f"/api/v1/features/featurestates/{default.pk}/", body),
            status(client, "put", f"/api/v1/features/featurestates/{override.pk}/", {**body, **place}),
        )
        held.delete()
        return made

    assert changes_by_who_holds("UPDATE_FEATURE_STATE") == (200, 403)
    assert changes_by_who_holds("MANAGE_SEGMENT_OVERRIDES") == (403, 200)


def test_a_feature_segment_is_found_by_uuid_with_less_than_by_id(
    project, environment, feature, member, client_of
):
    place = make_segment_override(feature, environment, make_segment(project)).feature_segment
    grant(member, project, "VIEW_PROJECT")
    client = client_of(member)

    assert place
    assert status(client, "get", f"/api/v1/features/feature-segments/get-by-uuid/{place.uuid}/") == 200
    assert status(client, "get", f"/api/v1/features/feature-segments/{place.pk}/") == 403


def test_an_unknown_environment_is_not_found_or_forbidden(admin_client, feature):
    unknown = "/api/v1/environments/none-such/"
    update = {"feature": {"id": feature.pk}, "enabled": True, "value": {"type": "string", "value": "x"}}

    statuses = {
        path: status(admin_client, method, path, body)
        for method, path, body in [
            ("get", unknown, None),
            ("post", f"{unknown}features/{feature.pk}/create-segment-override/", {}),
            ("get", f"{unknown}webhooks/", None),
            ("get", f"{unknown}api-keys/", None),
            ("get", f"{unknown}user-permissions/", None),
            ("get", f"{unknown}identities/", None),
            ("post", "/api/experiments/environments/none-such/update-flag-v1/", update),
        ]
    }

    assert list(statuses.values()) == [404, 404, 403, 403, 403, 403, 403]


def test_who_sees_the_project_sees_its_tags_one_by_one_too(project, member, client_of):
    tag = project.tags.create(label="beta")
    grant(member, project, "VIEW_PROJECT")
    client = client_of(member)

    assert status(client, "get", f"/api/v1/projects/{project.pk}/tags/") == 200
    assert status(client, "get", f"/api/v1/projects/{project.pk}/tags/{tag.pk}/") == 200
    assert status(client, "patch", f"/api/v1/projects/{project.pk}/tags/{tag.pk}/", {"label": "x"}) == 403


def test_a_custom_field_of_another_organisation_is_out_of_reach(admin_client, organisation):
    other = Organisation.objects.create(name="Other")
    field = other.custom_fields.create(name="Team")
    body = {"field": field.pk, "content_type": content_type_of("feature").pk}
    url = f"/api/v1/organisations/{organisation.pk}/metadata-model-fields/"

    assert status(admin_client, "get", f"/api/v1/metadata/fields/{field.pk}/") == 404
    assert status(admin_client, "post", url, body) in {403, 404}
