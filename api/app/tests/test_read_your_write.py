"""Who changes something is told at which revision SDKs see it, and can ask an SDK endpoint for no less."""

import pytest
from rest_framework.test import APIClient

from environments.models import Environment, EnvironmentRevision
from features.models import FeatureState
from projects.models import Project

pytestmark = pytest.mark.django_db(transaction=True)


def revision_of(environment: Environment) -> int:
    return EnvironmentRevision.objects.get(environment_id=environment.pk).revision


@pytest.fixture
def neighbour(project) -> Environment:
    return Environment.objects.create(project=project, name="Staging")


@pytest.fixture
def state(environment, feature) -> str:
    """The path of what a feature serves."""
    state = FeatureState.objects.get(environment=environment, feature=feature)
    return f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/"


def test_a_change_in_one_environment_is_answered_with_its_revision(
    admin_client, environment, neighbour, state
):
    before = revision_of(environment)

    response = admin_client.put(state, {"enabled": True}, "json")

    assert response["X-Burgee-Revision"] == str(before + 1) == str(revision_of(environment))


def test_paths_that_name_no_environment_are_answered_with_its_revision_too(
    admin_client, environment, feature
):
    state = FeatureState.objects.get(environment=environment, feature=feature)

    response = admin_client.patch(f"/api/v1/features/featurestates/{state.pk}/", {"enabled": True}, "json")

    assert response["X-Burgee-Revision"] == str(revision_of(environment))


def test_a_change_of_a_project_is_answered_with_the_revision_of_each_environment(
    admin_client, project, environment, neighbour
):
    Environment.objects.create(
        project=Project.objects.create(organisation=project.organisation, name="Other"), name="Other"
    )

    response = admin_client.post(f"/api/v1/projects/{project.pk}/features/", {"name": "new"}, "json")

    assert response.status_code == 201
    assert response["X-Burgee-Revision"] == (
        f"{environment.pk}={revision_of(environment)}, {neighbour.pk}={revision_of(neighbour)}"
    )


def test_an_answer_names_only_what_its_own_request_has_raised(admin_client, environment, state):
    """The connection is that of the requests before."""
    first = admin_client.put(state, {"enabled": True}, "json")
    again = admin_client.put(state, {"enabled": True}, "json")
    refused = admin_client.put(state, {"enabled": "perhaps"}, "json")

    assert first.has_header("X-Burgee-Revision")
    assert not again.has_header("X-Burgee-Revision"), "it has changed nothing"
    assert not refused.has_header("X-Burgee-Revision")


def test_a_project_of_very_many_environments_makes_no_huge_header(admin_client, project):
    Environment.objects.bulk_create(
        Environment(project=project, name=f"{number}", api_key=f"key-{number}") for number in range(101)
    )

    response = admin_client.post(f"/api/v1/projects/{project.pk}/features/", {"name": "new"}, "json")

    assert response.status_code == 201
    assert not response.has_header("X-Burgee-Revision")


def test_an_environment_is_shown_with_its_revision(admin_client, environment, feature):
    response = admin_client.get(f"/api/v1/environments/{environment.api_key}/")

    assert response["X-Burgee-Revision"] == str(revision_of(environment))


def test_of_several_revisions_an_sdk_endpoint_takes_its_own(sdk_client, environment, neighbour):
    wanted = f"{environment.pk}={revision_of(environment)}, {neighbour.pk}=1000000"

    mine = sdk_client.get("/api/v1/flags/", headers={"X-Burgee-Min-Revision": wanted})
    theirs = APIClient(headers={"X-Environment-Key": neighbour.api_key}).get(
        "/api/v1/flags/", headers={"X-Burgee-Min-Revision": wanted}
    )

    assert [mine.status_code, theirs.status_code] == [200, 503]


@pytest.mark.parametrize("wanted", ["3=", "=3", "3=1, ", "one", "1.5", "\u0663"])
def test_what_is_no_revision_is_refused(sdk_client, wanted):
    response = sdk_client.get("/api/v1/flags/", headers={"X-Burgee-Min-Revision": wanted})

    assert response.status_code == 400
    assert "17" in response.json()["detail"]
