"""What each service is sent, held to recorded requests. Nothing is sent here."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.models import ChangeType, RelatedObjectType
from integrations.calls import Call
from integrations.events import Event
from integrations.kinds import KINDS
from integrations.vendors import dynatrace, grafana, sentry, slack

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
BASE = "https://api.example.org/"


def called(kind: str, event: Event = EVENT, **configuration: object) -> Call:
    of_event = KINDS[kind].of_event
    assert of_event
    call = of_event(event, {**KINDS[kind].absent, **configuration})
    assert call
    return call


@pytest.mark.parametrize("base", [BASE, BASE.rstrip("/")])
@pytest.mark.parametrize(
    ("kind", "configuration", "url", "headers", "body"),
    [
        (
            "datadog",
            {"api_key": "k&y", "use_custom_source": True},
            "https://api.example.org/api/v1/events?api_key=k%26y",
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
            {"api_key": "key", "app_id": "17/../18"},
            "https://api.example.org/v2/applications/17%2F..%2F18/deployments.json",
            {"X-Api-Key": "key"},
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
            {"api_key": "key"},
            "https://api.example.org/api/annotations",
            {"Authorization": "Bearer key"},
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
            {"api_key": "key", "entity_selector": 'type("SERVICE")'},
            "https://api.example.org/api/v2/events/ingest?api-token=key",
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
def test_a_change_is_told_as_the_service_expects(kind, configuration, url, headers, body, base):
    call = called(kind, base_url=base, **configuration)

    assert (call.url, call.headers, call.content_type) == (url, headers, "application/json")
    assert json.loads(call.body) == body


def test_datadog_is_the_source_unless_the_custom_one_is_asked_for():
    call = called("datadog", base_url=BASE, api_key="key")

    assert "source_type_name" not in json.loads(call.body)


def test_grafana_has_no_tags_for_what_a_change_is_not_about():
    event = replace(EVENT, feature=None, is_enabled=None, tags=[], segment="beta", environment="unknown")

    call = grafana.call(event, {"base_url": BASE, "api_key": "key"})

    assert json.loads(call.body)["tags"][2:] == ["environment:unknown", "by:kim@example.org", "segment:beta"]
    off = grafana.call(replace(EVENT, is_enabled=False), {"base_url": BASE, "api_key": "key"})
    assert "flag:disabled" in json.loads(off.body)["tags"]


@pytest.mark.parametrize(
    ("feature", "segment", "name"),
    [
        ("x", None, "Flagsmith Deployment - Flag Changed: x"),
        (None, "s", "Flagsmith Deployment - Segment Changed: s"),
        (None, None, "Deployment"),
    ],
)
def test_dynatrace_names_the_deployment_for_what_has_changed(feature, segment, name):
    configuration = {"base_url": BASE, "api_key": "key", "entity_selector": "e"}

    call = dynatrace.call(replace(EVENT, feature=feature, segment=segment), configuration)

    assert json.loads(call.body)["properties"]["dt.event.deployment.name"] == name


def test_slack_gets_two_blocks_in_which_names_are_no_links():
    event = replace(EVENT, environment="<!channel> & co")

    call = called("slack", event, channel_id="C1", api_token="xoxb-1")

    assert call.url == "https://slack.com/api/chat.postMessage"
    assert call.headers == {"Authorization": "Bearer xoxb-1"}
    message = json.loads(call.body)
    assert message["channel"] == "C1"
    line, fields = message["blocks"]
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
def test_sentry_gets_a_signed_hook(change_type, action):
    event = replace(EVENT, change_type=change_type)

    call = called("sentry", event, webhook_url="https://sentry.example.org/hook", secret="a secret of ours")

    assert call.url == "https://sentry.example.org/hook"
    assert json.loads(call.body) == {
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


def test_the_signature_of_sentry_is_over_the_very_bytes():
    call = sentry.call(
        EVENT, {"webhook_url": "https://sentry.example.org/hook", "secret": "a secret of ours"}
    )

    assert call is not None
    assert call.headers == {"X-Sentry-Signature": RECORDED_SIGNATURE}


# printf '%s' "$body" | openssl dgst -sha256 -hmac 'a secret of ours'
RECORDED_SIGNATURE = "9a7d70434cb77a7bba3b3b6ac3fe34a0c1b173e4c3a43ada1d8c96dc2496f5c5"
