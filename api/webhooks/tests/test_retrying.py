"""What is signed, and when a message that wasn't taken is sent again."""

import hashlib
import hmac
from base64 import b64encode
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.http import http_date

from core.outgoing import Answer
from webhooks.services.headers import headers_of
from webhooks.services.retrying import Outcome, delay_after, is_out_of_attempts, wish_in

BODY = b'{"data": {}, "event_type": "FLAG_UPDATED"}'
# From the specification's own examples: the prefix, then base64.
ENCODED, KEY = "whsec_" + b64encode(b"0123456789abcdef01234567").decode(), b"0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("secret", "key"),
    [("plain", b"plain"), (ENCODED, KEY), ("whsec_not base64", b"whsec_not base64"), ("é", "é".encode())],
)
def test_both_signatures_are_over_the_bytes_that_are_sent(secret, key):
    headers = headers_of("msg_1", 1767225600, BODY, secret)

    content = b"msg_1.1767225600." + BODY
    expected = b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1767225600",
        "webhook-signature": f"v1,{expected}",
        "X-Flagsmith-Signature": hmac.digest(secret.encode(), BODY, hashlib.sha256).hex(),
    }


def test_nothing_is_signed_without_a_secret():
    assert headers_of("msg_1", 5, BODY, "") == {"webhook-id": "msg_1", "webhook-timestamp": "5"}


@pytest.mark.parametrize(
    ("status", "is_success", "is_final", "stops_all"),
    [
        (200, True, True, False),
        (204, True, True, False),
        (301, False, True, False),
        (400, False, True, False),
        (410, False, True, False),
        (429, False, False, True),
        (500, False, False, False),
        (503, False, False, False),
    ],
)
def test_which_answers_are_worth_another_attempt(status, is_success, is_final, stops_all):
    outcome = Outcome.of(Answer(status, 0.1))

    assert (outcome.is_success, outcome.is_final, outcome.stops_all) == (is_success, is_final, stops_all)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (10, 1024), (11, 2048), (12, 3600), (30_000, 3600)]
)
def test_delays_double_up_to_an_hour_and_some_chance_comes_on_top(attempts, seconds):
    delays = {delay_after(attempts).total_seconds() for _ in range(50)}

    assert all(seconds <= each <= seconds * 1.25 for each in delays)
    assert len(delays) > 1


def test_base_and_number_of_attempts_are_settings(settings):
    settings.WEBHOOK_BACKOFF_BASE, settings.WEBHOOK_BACKOFF_RETRIES = 10, 3

    assert timedelta(seconds=100) <= delay_after(2) <= timedelta(seconds=125)
    assert [is_out_of_attempts(number) for number in (1, 2, 3, 4)] == [False, False, True, True]
    settings.WEBHOOK_BACKOFF_RETRIES = 0
    assert not is_out_of_attempts(10_000)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), (" 5 ", 5), ("9" * 500, 86400), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_a_receiver_may_wish_for_a_time(header, seconds):
    assert wish_in(header) == timedelta(seconds=seconds)


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "²", "Wed, 99 Oct 2015 07:28:00 GMT"])
def test_what_is_no_time_is_no_wish(header):
    assert wish_in(header) is None


def test_a_wish_is_kept_where_it_is_longer_than_the_delay():
    wish = wish_in(http_date((timezone.now() + timedelta(hours=2)).timestamp()))

    assert wish is not None
    assert timedelta(minutes=119) < wish <= timedelta(hours=2)
    assert delay_after(1, wish) >= wish
    assert delay_after(5, timedelta(seconds=1)) >= timedelta(seconds=32)
