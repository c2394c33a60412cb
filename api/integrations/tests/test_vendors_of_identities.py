"""What each service is sent of an identity, held to recorded requests. Nothing is sent here."""

import json
from urllib.parse import parse_qs

import pytest

from integrations.calls import Call
from integrations.identities import Reading, property_of
from integrations.kinds import KINDS

READING = Reading(
    identifier="kim",
    properties={"new_checkout": "blue", "dark_mode": True, "old": False},
    traits=[{"id": None, "trait_key": "plan", "trait_value": "pro", "transient": False}],
    flags=[{"id": 1, "enabled": True, "percentage_allocation": 30.0}],
    segments=[{"id": 7, "name": "beta", "member": True}],
)
BASIC = "Basic a2V5Og=="  # printf 'key:' | base64


def called(kind: str, **configuration: object) -> Call:
    of_identity = KINDS[kind].of_identity
    assert of_identity
    return of_identity(READING, {**KINDS[kind].absent, **configuration})


@pytest.mark.parametrize(
    ("kind", "configuration", "url", "headers", "body"),
    [
        (
            "segment",
            {"api_key": "key"},
            "https://api.segment.io/v1/identify",
            {"Authorization": BASIC},
            {"userId": "kim", "traits": READING.properties},
        ),
        (
            "segment",
            {"api_key": "key", "base_url": "https://events.eu1.segmentapis.com/"},
            "https://events.eu1.segmentapis.com/v1/identify",
            {"Authorization": BASIC},
            {"userId": "kim", "traits": READING.properties},
        ),
        (
            "rudderstack",
            {"api_key": "key", "base_url": "https://plane.example.org"},
            "https://plane.example.org/v1/identify",
            {"Authorization": BASIC},
            {"userId": "kim", "traits": READING.properties},
        ),
        (
            "heap",
            {"api_key": "17"},
            "https://heapanalytics.com/api/track",
            {},
            {
                "app_id": "17",
                "identity": "kim",
                "event": "Flagsmith Feature Flags",
                "properties": READING.properties,
            },
        ),
        (
            "mixpanel",
            {"api_key": "token", "base_url": "https://api-eu.mixpanel.com"},
            "https://api-eu.mixpanel.com/engage#profile-set",
            {"Accept": "text/plain", "X-Mixpanel-Integration-ID": "flagsmith"},
            [{"$token": "token", "$distinct_id": "kim", "$set": READING.properties, "$ip": "0"}],
        ),
    ],
)
def test_an_identity_is_told_as_the_service_expects(kind, configuration, url, headers, body):
    call = called(kind, **configuration)

    assert (call.url, call.headers, call.content_type) == (url, headers, "application/json")
    assert json.loads(call.body) == body


def test_amplitude_gets_a_form_with_json_in_it():
    call = called("amplitude", api_key="k&y", base_url=None)

    assert call.url == "https://api2.amplitude.com/identify"
    assert call.content_type == "application/x-www-form-urlencoded"
    form = parse_qs(call.body.decode(), strict_parsing=True)
    assert form["api_key"] == ["k&y"]
    assert json.loads(form["identification"][0]) == [
        {"user_id": "kim", "user_properties": READING.properties}
    ]


def test_the_webhook_gets_all_that_is_known_and_is_signed():
    call = called("webhook", url="https://hooks.example.org/", secret="secret")

    assert json.loads(call.body) == {
        "identity": "kim",
        "traits": READING.traits,
        "flags": READING.flags,
        "segments": READING.segments,
    }
    # printf '%s' "$body" | openssl dgst -sha256 -hmac secret
    assert call.headers == {"X-Flagsmith-Signature": SIGNATURE}
    assert called("webhook", url="https://hooks.example.org/", secret="").headers == {}


@pytest.mark.parametrize(
    ("enabled", "value", "expected"),
    [
        (True, "blue", "blue"),
        (True, 0, 0),
        (True, None, True),
        (True, "", True),
        (False, "blue", False),
        (False, None, False),
    ],
)
def test_a_property_is_the_value_of_what_is_on(enabled, value, expected):
    assert property_of(enabled, value) is expected


SIGNATURE = "20f5a7e266848c72e7b5ff8d21322394840ce51c41cda1c713fc5eca00434e79"
