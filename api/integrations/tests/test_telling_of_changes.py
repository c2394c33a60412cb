"""Changes are told to the services that hear of them, by jobs, and to no others."""

import json

import pytest
from django.db import transaction

from audit.models import RelatedObjectType
from audit.services import record, writing_together
from core.tests.receivers import Receiver, answering, receiver, status
from environments.models import Environment
from integrations.models import Integration
from integrations.services import delete_integration
from tasks.models import Job, State
from tasks.services import run_due

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]


def grafana(service: Receiver, **place) -> Integration:
    secrets = {"base_url": f"http://127.0.0.1:{service.port}", "api_key": "key"}
    return Integration.objects.create(kind="grafana", secrets=secrets, **place)


def told() -> list[int]:
    """Return the services that are going to be told something."""
    waiting = Job.objects.filter(task="integrations.tell_of_change", state=State.WAITING).order_by("id")
    return [job.arguments["integration_id"] for job in waiting]


def note(project, *, environment=None, about=RelatedObjectType.FEATURE):
    return record(
        "Something has changed",
        author=None,
        related_object=project,
        related_object_type=about,
        organisation_id=project.organisation_id,
        project_id=project.pk,
        environment_id=environment and environment.pk,
    )


def test_a_change_of_a_flag_reaches_the_service(admin_client, admin, project, environment, feature):
    feature.tags.create(project=project, label="ui")
    state = feature.feature_states.get(environment=environment)
    with receiver() as service:
        grafana(service, project=project)
        changed = admin_client.put(
            f"/api/v1/environments/{environment.api_key}/featurestates/{state.pk}/",
            {"enabled": True, "feature": feature.pk, "feature_state_value": "blue"},
            format="json",
        )
        run_due()

    assert changed.status_code == 200
    assert service.requests[0].startswith(b"POST /api/annotations HTTP/1.1\r\n")
    assert service.headers["authorization"] == "Bearer key"
    assert json.loads(service.body)["tags"] == [
        "flagsmith",
        "project:Web shop",
        "environment:Production",
        f"by:{admin.email}",
        "feature:new_checkout",
        "flag:enabled",
        "ui",
    ]
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("about", "is_told"),
    [
        (RelatedObjectType.FEATURE, True),
        (RelatedObjectType.FEATURE_STATE, True),
        (RelatedObjectType.SEGMENT, True),
        (RelatedObjectType.EF_VERSION, True),
        (RelatedObjectType.ENVIRONMENT, False),
        (RelatedObjectType.CHANGE_REQUEST, False),
        (RelatedObjectType.EDGE_IDENTITY, False),
    ],
)
def test_only_changes_of_flags_and_segments_are_told(project, about, is_told):
    integration = Integration.objects.create(kind="datadog", project=project)

    note(project, about=about)

    assert told() == ([integration.pk] if is_told else [])


def test_of_each_kind_one_is_told_the_project_s_first(organisation, project, environment):
    for_all = Integration.objects.create(kind="grafana", organisation=organisation)
    note(project, environment=environment)
    here = Integration.objects.create(kind="grafana", environment=environment)
    note(project, environment=environment)
    note(project)
    first = Integration.objects.create(kind="grafana", project=project)
    other = Integration.objects.create(kind="dynatrace", environment=environment)
    note(project, environment=environment)

    assert told()[:3] == [for_all.pk, here.pk, for_all.pk]
    assert set(told()[3:]) == {first.pk, other.pk}


def test_one_of_another_environment_hears_nothing(project, environment):
    staging = Environment.objects.create(project=project, name="Staging")
    Integration.objects.create(kind="slack", environment=staging, settings={"channel_id": "C1"})

    note(project, environment=environment)
    note(project)

    assert told() == []


def test_what_is_rolled_back_is_told_to_nobody(project):
    Integration.objects.create(kind="datadog", project=project)

    with transaction.atomic():
        note(project)
        transaction.set_rollback(True)

    assert told() == []


def test_where_nothing_is_connected_records_cost_one_query_together(project, django_assert_num_queries):
    with django_assert_num_queries(2), writing_together():  # the records, and who is connected
        for _ in range(5):
            note(project)


@pytest.mark.parametrize(
    ("answer", "state"), [(200, State.DONE), (503, State.WAITING), (429, State.WAITING), (403, State.DEAD)]
)
def test_what_is_not_taken_is_tried_again_unless_it_never_will_be(project, answer, state):
    with receiver(answering(status(answer))) as service:
        grafana(service, project=project)
        note(project)
        run_due()

    left = Job.objects.filter(task="integrations.tell_of_change").values_list("state", flat=True)
    assert list(left) == ([] if state == State.DONE else [state])
    assert not Job.objects.filter(last_error__contains="key").exists()


def test_a_service_that_is_not_connected_any_more_is_told_nothing(project):
    with receiver() as service:
        integration = grafana(service, project=project)
        note(project)
        delete_integration(integration)
        run_due()

    assert service.requests == []


def test_a_deleted_feature_is_still_named(admin_client, project, feature):
    with receiver() as service:
        grafana(service, project=project)
        admin_client.delete(f"/api/v1/projects/{project.pk}/features/{feature.pk}/")
        run_due()

    annotation = json.loads(service.body)
    assert annotation["text"] == "Flag / Remote Config Deleted: new_checkout"
    assert "feature:new_checkout" in annotation["tags"]
    assert "environment:unknown" in annotation["tags"]
