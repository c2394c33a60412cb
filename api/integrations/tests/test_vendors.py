"""What each service is sent of a change: its documented request, as a server on this machine receives it."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.models import ChangeType, RelatedObjectType
from core.tests.receivers import Receiver
from integrations.events import Event
from integrations.kinds import KINDS
from integrations.tests.requests import Sent, base_of, sent
from integrations.vendors import dynatrace, slack

EVENT = Event(
    log="Flag state updated for feature: new_checkout",
    user="kim@example.org",
    project="Web shop",
    environment="Production",
    at=datetime(2026, 3, 1, 10, 0, 0, 123456, UTC),
    about=RelatedObjectType.FEATURE_STATE,
    change_type=ChangeType.UPDATE,
    change_id=301,
    feature="new_checkout",
    is_enabled=True,
    segment="beta",
    tags=["ui", "q3"],
)


def told(service: Receiver, kind: str, event: Event = EVENT, **configuration: object) -> Sent:
    of_event = KINDS[kind].of_event
    assert of_event
    return sent(service, of_event(event, {**KINDS[kind].absent, **configuration}))


@pytest.mark.parametrize(
    ("kind", "base_ends", "configuration", "target", "headers", "body"),
    [
        (
            "datadog",
            "",
            {"api_key": "k&y", "use_custom_source": True},
            "/api/v1/events?api_key=k%26y",
            {},
            {
                "title": "Flagsmith Feature Flag Event",
                "text": "Flag state updated for feature: new_checkout by user kim@example.org",
                "tags": ["env:Production"],
                "source_type_name": "flagsmith",
            },
        ),
        (
            "new-relic",
            "/",
            {"api_key": "key", "app_id": "17/../18"},
            "/v2/applications/17%2F..%2F18/deployments.json",
            {"x-api-key": "key"},
            {
                "deployment": {
                    "revision": "env:Production",
                    "changelog": "Flag state updated for feature: new_checkout by user kim@example.org",
                    "description": "Flagsmith Feature Flag Event",
                }
            },
        ),
        (
            "grafana",
            "/below/",
            {"api_key": "key"},
            "/below/api/annotations",
            {"authorization": "Bearer key"},
            {
                "tags": [
                    "flagsmith",
                    "project:Web shop",
                    "environment:Production",
                    "by:kim@example.org",
                    "feature:new_checkout",
                    "flag:enabled",
                    "segment:beta",
                    "ui",
                    "q3",
                ],
                "text": "Flag state updated for feature: new_checkout",
                "time": 1772359200123,
                "timeEnd": 1772359200123,
            },
        ),
        (
            "dynatrace",
            "/",
            {"api_key": "key", "entity_selector": 'type("SERVICE")'},
            "/api/v2/events/ingest?api-token=key",
            {},
            {
                "title": "Flagsmith flag change.",
                "eventType": "CUSTOM_DEPLOYMENT",
                "entitySelector": 'type("SERVICE")',
                "properties": {
                    "event": "Flag state updated for feature: new_checkout by user kim@example.org",
                    "environment": "Production",
                    "dt.event.deployment.name": "Flagsmith Deployment - Flag Changed: new_checkout",
                },
            },
        ),
    ],
)
def test_a_change_is_told_as_the_service_expects(
    service, kind, base_ends, configuration, target, headers, body
):
    request = told(service, kind, base_url=base_of(service) + base_ends, **configuration)

    assert request.target == target
    assert request.headers.items() >= {"content-type": "application/json", **headers}.items()
    assert request.json() == body


def test_datadog_is_the_source_unless_the_custom_one_is_asked_for(service):
    request = told(service, "datadog", base_url=base_of(service), api_key="key")

    assert "source_type_name" not in request.json()


def test_grafana_has_no_tags_for_what_a_change_is_not_about(service):
    where = {"base_url": base_of(service), "api_key": "key"}
    of_segment = replace(EVENT, feature=None, is_enabled=None, tags=[], environment="unknown")

    tags = told(service, "grafana", of_segment, **where).json()["tags"]
    tags_of_off = told(service, "grafana", replace(EVENT, is_enabled=False), **where).json()["tags"]

    assert tags[2:] == ["environment:unknown", "by:kim@example.org", "segment:beta"]
    assert "flag:disabled" in tags_of_off


@pytest.mark.parametrize(
    ("feature", "segment", "name"),
    [
        ("x", None, "Flagsmith Deployment - Flag Changed: x"),
        (None, "s", "Flagsmith Deployment - Segment Changed: s"),
        (None, None, "Deployment"),
    ],
)
def test_dynatrace_names_the_deployment_for_what_has_changed(feature, segment, name):
    configuration = {"base_url": "https://api.example.org", "api_key": "key", "entity_selector": "e"}

    call = dynatrace.call(replace(EVENT, feature=feature, segment=segment), configuration)

    assert f'"dt.event.deployment.name": "{name}"' in call.body.decode()


def test_slack_gets_two_blocks_in_which_names_are_no_links(service, settings):
    settings.SLACK_URL = base_of(service)
    event = replace(EVENT, environment="<!channel> & co")

    request = told(service, "slack", event, channel_id="C1", api_token="xoxb-1")

    assert request.target == "/api/chat.postMessage"
    assert request.headers["authorization"] == "Bearer xoxb-1"
    message = request.json()
    line, fields = message["blocks"]
    assert message["channel"] == "C1"
    assert line == {"type": "section", "text": {"type": "plain_text", "text": EVENT.log}}
    assert [each["text"] for each in fields["fields"]] == [
        "*Environment:*\n&lt;!channel&gt; &amp; co",
        "*User:*\nkim@example.org",
    ]


def test_slack_gets_nothing_while_it_is_off_or_has_let_nobody_in():
    assert slack.call(EVENT, {"channel_id": "C1", "enabled": False, "api_token": "xoxb-1"}) is None
    assert slack.call(EVENT, {"channel_id": "C1", "enabled": True, "api_token": ""}) is None


@pytest.mark.parametrize(
    ("change_type", "action"),
    [
        (ChangeType.CREATE, "created"),
        (ChangeType.UPDATE, "updated"),
        (ChangeType.DELETE, "deleted"),
        (ChangeType.UNKNOWN, "updated"),
    ],
)
def test_sentry_gets_a_hook_that_is_signed_over_its_very_bytes(service, change_type, action):
    event = replace(EVENT, change_type=change_type)

    request = told(service, "sentry", event, webhook_url=service.url(), secret="a secret of ours")

    assert request.target == "/hook"
    assert request.json() == {
        "data": [
            {
                "action": action,
                "flag": "new_checkout",
                "created_at": "2026-03-01T10:00:00.123Z",
                "created_by": {"id": "kim@example.org", "type": "email"},
                "change_id": 301,
            }
        ],
        "meta": {"version": 1},
    }
    signature = hmac.new(b"a secret of ours", request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-sentry-signature"] == signature
