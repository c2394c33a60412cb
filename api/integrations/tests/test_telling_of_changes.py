"""Changes are told to the services that hear of them, by jobs, and to no others. None waits for another."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import RelatedObjectType
from audit.services import record, writing_together
from core.tests.receivers import Receiver, receiver, status
from environments.models import Environment
from integrations.models import Integration, Message
from integrations.sending import PATIENCE
from integrations.services import delete_integration
from integrations.tasks import forget_old_messages
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
    return list(Message.objects.values_list("integration_id", flat=True))


def let_again(integration: Integration) -> None:
    """Let the pause of a service be over, and its next job be due."""
    Integration.objects.filter(pk=integration.pk).update(paused_until=timezone.now())
    Job.objects.filter(state=State.WAITING).update(run_at=timezone.now())


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


def test_where_nothing_is_connected_records_cost_one_query_together(project):
    with CaptureQueriesContext(connection) as queries, writing_together():
        for _ in range(5):
            note(project)

    assert sum("integrations_" in each["sql"] for each in queries) == 1


def _pause(integration: Any) -> timedelta:
    return integration.paused_until - timezone.now()


@pytest.mark.parametrize("answer", [503, 429])
def test_what_is_not_taken_is_told_later_in_order_and_less_and_less_often(project, answer):
    answers = [status(answer), status(answer), status(200), status(200)]
    with receiver(lambda connection: connection.sendall(answers.pop(0))) as service:
        integration = grafana(service, project=project)
        note(project)
        note(project)
        run_due()
        integration.refresh_from_db()
        first_pause = _pause(integration)
        note(project)
        run_due()  # nobody asks a service that is paused, whatever else there is to tell
        asked_while_paused = len(service.requests)
        let_again(integration)
        run_due()
        integration.refresh_from_db()
        second_pause, failures = _pause(integration), integration.failures
        answers.append(status(200))
        let_again(integration)
        run_due()

    integration.refresh_from_db()
    assert asked_while_paused == 1
    assert timedelta(0) < first_pause < second_pause <= timedelta(seconds=20)
    assert failures == 2
    assert len(service.requests) == 5
    assert told() == []
    assert (integration.failures, integration.paused_until, integration.last_error) == (0, None, "")
    assert not Job.objects.filter(state=State.WAITING).exists()


def test_what_is_refused_holds_up_nothing_and_the_reason_names_no_key(project):
    answers = [status(403), status(200)]
    with receiver(lambda connection: connection.sendall(answers.pop(0))) as service:
        integration = grafana(service, project=project)
        note(project)
        run_due()
        integration.refresh_from_db()
        reason = integration.last_error
        note(project)
        run_due()

    integration.refresh_from_db()
    assert (reason, integration.last_error) == ("It answered 403.", "")
    assert (len(service.requests), told()) == (2, [])


def test_a_dead_service_holds_up_no_other_and_is_given_up_with(project, environment):
    dead = Integration.objects.create(
        kind="datadog",
        project=project,
        secrets={"base_url": "http://127.0.0.1:1", "api_key": "a key of ours"},
    )
    with receiver() as service:
        grafana(service, project=project)
        for _ in range(3):
            note(project)
        run_due()

    dead.refresh_from_db()
    assert len(service.requests) == 3
    assert told() == [dead.pk] * 3
    assert dead.last_error == "The connection was refused."
    (job,) = Job.objects.filter(state=State.WAITING)
    assert (job.arguments, job.run_at) == ({"integration_id": dead.pk}, dead.paused_until)

    Message.objects.update(created_at=timezone.now() - PATIENCE)
    forget_old_messages()

    assert told() == []


def test_slack_is_told_with_the_token_of_the_project_and_nothing_without(project, environment, settings):
    slack = Integration.objects.create(
        kind="slack", environment=environment, settings={"channel_id": "C1", "enabled": True}
    )
    with receiver() as service:
        settings.SLACK_URL = f"http://127.0.0.1:{service.port}"
        note(project, environment=environment)
        run_due()
        sent_without = list(service.requests)
        Integration.objects.create(kind="slack-workspace", project=project, secrets={"api_token": "xoxb-1"})
        note(project, environment=environment)
        run_due()

    assert sent_without == []
    assert service.headers["authorization"] == "Bearer xoxb-1"
    assert json.loads(service.body)["channel"] == "C1"
    slack.refresh_from_db()
    assert slack.failures == 0


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
