"""OpenFeature's Python SDK, with its own OFREP provider, gets the right flags from the server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from features.models import Feature
from identities.models import Identity
from sdk.tests.integration.clients import Connection, PythonClient

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # the server is another process

ABROAD = {"plan": "pro", "country": "NL"}

Provide = Callable[..., Any]


@pytest.fixture
def provide(server) -> Iterator[Provide]:
    """Return an OpenFeature client: `provide("X-API-Key", shop.client_key)`."""

    def client(header: str, value: str) -> Any:
        provider = OFREPProvider(server.removesuffix("api/v1/"), headers_factory=lambda: {header: value})
        api.set_provider(provider, domain="burgee")
        return api.get_client(domain="burgee")

    yield client
    api.clear_providers()


@pytest.fixture
def client(provide, shop) -> Any:
    return provide("X-API-Key", shop.client_key)


def outcome(details: Any) -> tuple[Any, Any, Any]:
    return details.value, details.reason, details.variant


def test_values_in_their_types(client):
    assert [
        outcome(details)
        for details in (
            client.get_string_details("text", "default"),
            client.get_integer_details("number", 0),
            client.get_boolean_details("switch", False),
        )
    ] == [
        ("hello", Reason.STATIC, "default"),
        (20, Reason.STATIC, "default"),
        (True, Reason.STATIC, "default"),
    ]


def test_a_flag_that_is_off_gives_the_codes_default(client):
    with_value = client.get_string_details("off", "default")
    without = client.get_boolean_details("rollout", True)

    assert outcome(with_value) == ("default", Reason.DISABLED, "disabled")
    assert outcome(without) == (False, Reason.DISABLED, "disabled")
    assert with_value.flag_metadata["enabled"] is False


def test_json_and_floats_where_the_server_is_told_to(shop, client):
    for name, value in (("theme", '{"dark": true, "sizes": [1, 2.5]}'), ("share", "0.25")):
        Feature.objects.create(
            project=shop.environment.project, name=name, initial_value=value, default_enabled=True
        )

    assert client.get_object_value("theme", {}) == {"dark": True, "sizes": [1, 2.5]}
    assert client.get_float_value("share", 1.0) == 0.25


def test_traits_decide_and_are_not_stored(client):
    by_traits = [
        outcome(client.get_string_details("paying", "no", EvaluationContext(key, traits)))
        for key in ("noor", None)
        for traits in (ABROAD, {**ABROAD, "country": "US"})
    ]

    assert (
        by_traits
        == [
            ("yes", Reason.TARGETING_MATCH, "default"),
            ("no", Reason.DISABLED, "disabled"),
        ]
        * 2
    )
    assert not Identity.objects.filter(identifier="noor").exists()


def test_an_identitys_own_values(client):
    kim = EvaluationContext("kim")

    assert outcome(client.get_string_details("personal", "", kim)) == (
        "kim alone",
        Reason.TARGETING_MATCH,
        "default",
    )
    assert client.get_integer_value("limit", 0, kim) == 50
    assert client.get_integer_value("limit", 0, EvaluationContext("lee")) == 10


def test_variants_are_those_that_flagsmiths_sdk_gets(client, server, shop, crowd):
    some = crowd[:60]
    expected = PythonClient().identity_flags(Connection(server, shop.client_key), some)

    for (identifier, traits), flags in zip(some, expected, strict=True):
        details = client.get_string_details("colour", "", EvaluationContext(identifier, dict(traits)))
        assert details.value == flags["colour"][1]
        drawn = details.value != "blue"
        assert details.reason == (Reason.SPLIT if drawn else Reason.STATIC)
        assert details.variant == (details.value if drawn else "control")


@pytest.mark.parametrize("name", ["unknown", "TEXT", "secret"])
def test_what_is_not_there_is_not_found(client, name):
    details = client.get_string_details(name, "default")

    assert (details.value, details.error_code) == ("default", ErrorCode.FLAG_NOT_FOUND)
    assert details.error_message == "There is no such flag."


def test_a_text_is_no_boolean(client):
    details = client.get_boolean_details("text", False)

    assert (details.value, details.error_code) == (False, ErrorCode.TYPE_MISMATCH)


def test_a_bearer_with_a_key_of_a_server_sees_all(provide, shop):
    client = provide("Authorization", f"Bearer {shop.server_key}")

    assert client.get_string_value("secret", "") == "for servers"


def test_a_key_that_opens_nothing(provide, shop):
    details = provide("X-API-Key", "unknown").get_string_details("text", "default")

    assert (details.value, details.error_code) == ("default", ErrorCode.GENERAL)


def test_what_cannot_be_evaluated_is_told(client):
    details = client.get_string_details("text", "default", EvaluationContext("x" * 2001))

    assert details.error_code == ErrorCode.INVALID_CONTEXT
    assert "targetingKey" in details.error_message
