"""What each service is sent of an identity: its documented request, as a server on this machine gets it."""

import hashlib
import hmac
import json
from urllib.parse import parse_qs

import pytest

from integrations.calls import Call
from integrations.identities import Reading, property_of
from integrations.kinds import KINDS
from integrations.tests.requests import base_of, sent

READING = Reading(
    identifier="kim",
    properties={"new_checkout": "blue", "dark_mode": True, "old": False},
    traits=[{"id": None, "trait_key": "plan", "trait_value": "pro", "transient": False}],
    flags=[{"id": 1, "enabled": True, "percentage_allocation": 30.0}],
    segments=[{"id": 7, "name": "beta", "member": True}],
)
IDENTIFIED = {"userId": "kim", "traits": READING.properties}
BASIC = "Basic a2V5Og=="  # printf 'key:' | base64


def call(kind: str, **configuration: object) -> Call:
    of_identity = KINDS[kind].of_identity
    assert of_identity
    return of_identity(READING, {**KINDS[kind].absent, **configuration})


@pytest.mark.parametrize(
    ("kind", "usual", "target", "headers", "body"),
    [
        ("segment", "https://api.segment.io", "/v1/identify", {"authorization": BASIC}, IDENTIFIED),
        ("rudderstack", None, "/v1/identify", {"authorization": BASIC}, IDENTIFIED),
        (
            "heap",
            "https://heapanalytics.com",
            "/api/track",
            {},
            {
                "app_id": "key",
                "identity": "kim",
                "event": "Flagsmith Feature Flags",
                "properties": READING.properties,
            },
        ),
        (
            "mixpanel",
            "https://api.mixpanel.com",
            "/engage",  # the rest, #profile-set, stays here as what follows # always does
            {"accept": "text/plain", "x-mixpanel-integration-id": "flagsmith"},
            [{"$token": "key", "$distinct_id": "kim", "$set": READING.properties, "$ip": "0"}],
        ),
    ],
)
def test_an_identity_is_told_as_the_service_expects(service, kind, usual, target, headers, body):
    request = sent(service, call(kind, api_key="key", base_url=base_of(service)))

    assert request.target == target
    assert request.headers.items() >= {"content-type": "application/json", **headers}.items()
    assert request.json() == body
    if usual:
        assert call(kind, api_key="key").url.partition("#")[0] == usual + target


def test_amplitude_gets_a_form_with_json_in_it(service):
    request = sent(service, call("amplitude", api_key="k&y", base_url=base_of(service)))

    assert request.target == "/identify"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(request.body.decode(), strict_parsing=True)
    assert form["api_key"] == ["k&y"]
    assert json.loads(form["identification"][0]) == [
        {"user_id": "kim", "user_properties": READING.properties}
    ]
    assert call("amplitude", api_key="key", base_url=None).url == "https://api2.amplitude.com/identify"


def test_the_webhook_gets_all_that_is_known_and_is_signed(service):
    request = sent(service, call("webhook", url=service.url(), secret="secret"))
    unsigned = sent(service, call("webhook", url=service.url(), secret=""))

    assert request.json() == {
        "identity": "kim",
        "traits": READING.traits,
        "flags": READING.flags,
        "segments": READING.segments,
    }
    signature = hmac.new(b"secret", request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-flagsmith-signature"] == signature
    assert "x-flagsmith-signature" not in unsigned.headers


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
