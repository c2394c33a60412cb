"""Requests are counted for what they ask and for what asks."""

import pytest

from analytics.models import LONGEST_LABEL, Resource
from analytics.tallies import RequestTally
from sdk import usage


@pytest.fixture
def tally(monkeypatch) -> RequestTally:
    """What has been counted since the test began."""
    monkeypatch.setattr(usage, "is_on", True)
    tally = RequestTally()
    monkeypatch.setattr(usage, "requests", tally)
    return tally


def client_of(tally: RequestTally, headers: dict[bytes, bytes]) -> list[str]:
    usage.count(7, Resource.FLAGS, headers)
    ((_, _, _, client),) = tally.take()
    return client.split("\t")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ["", "", ""]),
        ({b"user-agent": b"flagsmith-python-sdk/4.0.0"}, ["flagsmith-python-sdk/4.0.0", "", ""]),
        ({b"user-agent": b"Mozilla/5.0 (X11; Linux x86_64)"}, ["", "", ""]),
        (
            {b"user-agent": b"Mozilla/5.0", b"flagsmith-sdk-user-agent": b"flagsmith-js-sdk/9.3.1"},
            ["flagsmith-js-sdk/9.3.1", "", ""],
        ),
        (
            {b"flagsmith-application-name": b"shop", b"flagsmith-application-version": b"1.2"},
            ["", "shop", "1.2"],
        ),
        ({b"flagsmith-application-name": " caf\u00e9 \U0001f984 ".encode()}, ["", "café 🦄", ""]),
        ({b"flagsmith-application-name": b"a\tb\x00c\x1b[31m\x7f"}, ["", "abc[31m", ""]),
        ({b"flagsmith-application-name": b"caf\xe9"}, ["", "caf\ufffd", ""]),
        ({b"flagsmith-application-version": b"9" * 15_000}, ["", "", "9" * LONGEST_LABEL]),
    ],
)
def test_clients_are_told_by_their_headers(tally, headers, expected):
    assert client_of(tally, headers) == expected
    assert client_of(tally, headers) == expected


def test_what_is_remembered_of_clients_is_bounded(tally):
    for number in range(usage.MOST_KNOWN_CLIENTS + 10):
        usage.count(7, Resource.FLAGS, {b"flagsmith-application-name": b"%d" % number})
    usage.count(7, Resource.FLAGS, {b"flagsmith-application-name": b"x" * 10_000})

    assert len(usage.known_clients) <= usage.MOST_KNOWN_CLIENTS
    assert max(sum(len(each or b"") for each in told) for told in usage.known_clients) < 1000
    assert sum(tally.take().values()) == usage.MOST_KNOWN_CLIENTS + 11


def test_nothing_is_counted_where_counting_is_switched_off(tally, monkeypatch):
    monkeypatch.setattr(usage, "is_on", False)

    usage.count(7, Resource.FLAGS, {})

    assert tally.take() == {}
