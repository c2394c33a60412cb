"""`projects/{id}/feature-health/`: how features are, as monitoring reports it."""

import pytest
from rest_framework.test import APIClient

from audit.models import AuditRecord
from environments.models import Environment
from features.tests.factories import make_feature
from health.models import HealthEvent
from permissions.tests.factories import grant


@pytest.fixture
def url(project) -> str:
    return f"/api/v1/projects/{project.pk}/feature-health/"


@pytest.fixture
def report(admin_client, url):
    """Report as a monitoring does, which has nothing but its address."""

    def send(body: object, provider: str = "Webhook", status: int = 200) -> None:
        known = {each["name"]: each for each in admin_client.get(f"{url}providers/").json()}
        shown = known.get(provider) or admin_client.post(f"{url}providers/", {"name": provider}).json()
        path = "/" + shown["webhook_url"].split("/", 3)[3]
        assert APIClient().post(path, body, format="json").status_code == status

    return send


def test_a_project_without_monitoring_has_no_events(admin_client, url):
    assert admin_client.get(f"{url}events/").json() == []
    assert admin_client.get(f"{url}providers/").json() == []


def test_a_report_shows_until_it_is_taken_back_and_tags_the_feature(
    admin_client, url, project, environment, feature, report
):
    reason = {
        "text_blocks": [{"text": "3% fail", "title": "Errors"}],
        "url_blocks": [{"url": "https://example.org/1", "title": None}],
    }
    bad = {"feature": feature.name, "environment": "Production", "status": "unhealthy", "reason": reason}

    report(bad)
    report(bad)  # monitoring repeats itself

    (event,) = admin_client.get(f"{url}events/").json()
    assert {name: event[name] for name in ("environment", "feature", "provider_name", "type")} == {
        "environment": environment.pk,
        "feature": feature.pk,
        "provider_name": "Webhook",
        "type": "UNHEALTHY",
    }
    assert event["reason"] == reason
    assert HealthEvent.objects.count() == 1
    tag = feature.tags.get()
    assert (tag.label, tag.color, tag.type, tag.is_system_tag) == ("Unhealthy", "#FFC0CB", "UNHEALTHY", True)
    record = AuditRecord.objects.get()
    assert (record.log, record.is_system_event) == ("Flag / Remote Config updated: new_checkout", True)

    report({**bad, "status": "healthy"})

    (event,) = admin_client.get(f"{url}events/").json()
    assert event["type"] == "HEALTHY"
    assert not feature.tags.exists()


def test_a_feature_is_unhealthy_as_long_as_it_is_anywhere(project, environment, feature, report):
    Environment.objects.create(project=project, name="Staging")
    for place in ("Production", "Staging"):
        report({"feature": feature.name, "environment": place, "status": "unhealthy"})

    report({"feature": feature.name, "environment": "Staging", "status": "healthy"})

    assert feature.tags.exists()


def test_what_a_provider_has_reported_goes_with_it(admin_client, url, feature, report):
    report({"feature": feature.name, "status": "unhealthy"})

    admin_client.delete(f"{url}providers/Webhook/")

    assert admin_client.get(f"{url}events/").json() == []
    assert not feature.tags.exists()


def test_administrators_dismiss_an_event(admin_client, client_of, member, url, project, feature, report):
    report({"feature": feature.name, "status": "unhealthy"})
    (event,) = admin_client.get(f"{url}events/").json()
    grant(member, project, "VIEW_PROJECT", "CREATE_FEATURE")

    refused = client_of(member).post(f"{url}events/{event['id']}/dismiss/")
    dismissed = admin_client.post(f"{url}events/{event['id']}/dismiss/")

    assert (refused.status_code, dismissed.status_code, dismissed.content) == (403, 204, b"")
    assert [each["type"] for each in admin_client.get(f"{url}events/").json()] == ["HEALTHY"]
    assert not feature.tags.exists()


def test_grafana_names_the_feature_in_labels(admin_client, url, project, environment, feature, report):
    labels = {"alertname": "Slow", "flagsmith_feature": feature.name, "flagsmith_environment": "Production"}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "Takes two seconds"},
        "generatorURL": "https://grafana.example.org/1",
    }

    report({"alerts": [alert, {"status": "firing", "labels": {"alertname": "Of something else"}}]}, "Grafana")

    (event,) = admin_client.get(f"{url}events/").json()
    assert (event["provider_name"], event["feature"], event["type"]) == ("Grafana", feature.pk, "UNHEALTHY")
    assert event["reason"] == {
        "text_blocks": [{"text": "Takes two seconds", "title": "Slow"}],
        "url_blocks": [{"url": "https://grafana.example.org/1", "title": "Slow"}],
    }


def test_what_a_report_names_must_be_there(report, feature, project):
    make_feature(project, name="elsewhere").delete()

    report({"feature": "elsewhere", "status": "unhealthy"}, status=400)
    report({"feature": feature.name, "environment": "Nowhere", "status": "unhealthy"}, status=400)
    report({"feature": feature.name, "status": "so so"}, status=400)

    assert not HealthEvent.objects.exists()


def test_a_provider_is_there_once_and_its_address_ends_with_it(admin_client, admin, url, project, feature):
    made = admin_client.post(f"{url}providers/", {"name": "Webhook"})
    again = admin_client.post(f"{url}providers/", {"name": "Webhook"})
    unknown = admin_client.post(f"{url}providers/", {"name": "Nagios"})
    path = "/" + made.json()["webhook_url"].split("/", 3)[3]
    gone = admin_client.delete(f"{url}providers/webhook/")

    assert made.status_code == 201
    assert {name: made.json()[name] for name in ("created_by", "name", "project")} == {
        "created_by": admin.email,
        "name": "Webhook",
        "project": project.pk,
    }
    assert [each.status_code for each in (again, unknown, gone)] == [400, 400, 204]
    body = {"feature": feature.name, "status": "healthy"}
    forged = f"{path.rsplit(':', 1)[0]}:{'x' * 43}"
    assert [APIClient().post(each, body, format="json").status_code for each in (path, forged)] == [404, 404]
