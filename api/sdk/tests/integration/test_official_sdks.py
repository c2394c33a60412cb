"""The official SDKs, unmodified, get the right flags from the server that `make run` starts."""

import time

import pytest

from analytics.models import FeatureEvaluationBucket
from identities.models import Identity
from sdk.tests.integration.clients import Connection

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # the server is another process

KIM = ("kim", {"plan": "pro", "country": "NL"})
NOOR = ("noor", {"plan": "pro", "country": "US"})


@pytest.fixture
def remote(server, shop) -> Connection:
    """Flags come evaluated from the server."""
    return Connection(server, shop.server_key)


@pytest.fixture
def local(server, shop) -> Connection:
    """The SDK reads the environment document and evaluates by itself."""
    return Connection(server, shop.server_key, local=True)


@pytest.fixture(params=["remote", "local"])
def connection(request) -> Connection:
    return request.getfixturevalue(request.param)


def test_the_flags_of_an_environment(sdk, connection):
    assert sdk.environment_flags(connection) == {
        "text": (True, "hello"),
        "number": (True, 20),
        "switch": (True, True),
        "off": (False, "unseen"),
        "secret": (True, "for servers"),
        "colour": (True, "blue"),
        "paying": (False, "no"),
        "rollout": (False, None),
        "personal": (True, "everyone"),
        "limit": (True, 10),
    }


def test_the_flags_of_identities_follow_traits_and_overrides(sdk, connection):
    kim, noor = sdk.identity_flags(connection, [KIM, NOOR])

    names = ["text", "paying", "personal", "limit"]
    assert [kim[name] for name in names] == [
        (True, "hello"),
        (True, "yes"),
        (True, "kim alone"),
        (True, 50),
    ]
    assert [noor[name] for name in names] == [
        (True, "hello"),
        (False, "no"),
        (True, "everyone"),
        (True, 10),
    ]


def test_a_client_side_key_reads_all_but_what_is_for_servers(sdk, server, shop):
    flags = sdk.environment_flags(Connection(server, shop.client_key))

    assert "text" in flags
    assert "secret" not in flags


def test_traits_are_remembered(sdk, remote):
    sdk.identity_flags(remote, [("noor", {"plan": "pro", "country": "FR"})])

    again = sdk.identity_flags(remote, [("noor", {})])[0]

    assert again["paying"] == (True, "yes")
    assert Identity.objects.get(identifier="noor").traits == {"plan": "pro", "country": "FR"}


def test_remote_and_local_evaluation_agree_on_500_identities(sdk, remote, local, crowd):
    from_server = sdk.identity_flags(remote, crowd)
    by_itself = sdk.identity_flags(local, crowd)

    differing = [
        (identity, name, flags[name], own[name])
        for identity, flags, own in zip(crowd, from_server, by_itself, strict=True)
        for name in flags
        if flags[name] != own[name]
    ]
    assert differing == []
    assert [flags.keys() for flags in from_server] == [own.keys() for own in by_itself]


def test_shares_are_kept_among_many(sdk, local, crowd):
    flags = sdk.identity_flags(local, crowd)

    colours = [each["colour"][1] for each in flags]
    shares = {colour: colours.count(colour) / len(crowd) for colour in ("green", "orange", "blue")}
    # Five standard deviations of 500 draws are 0.11 at most.
    assert shares == pytest.approx({"green": 0.3, "orange": 0.2, "blue": 0.5}, abs=0.11)
    assert sum(each["rollout"][0] for each in flags) / len(crowd) == pytest.approx(0.25, abs=0.1)


def test_what_an_sdk_counts_is_added_up(sdk, remote):
    sdk.report_evaluations(remote, "text", 3)
    sdk.report_evaluations(remote, "text", 4)

    assert counted("text", at_least=7) == 7


def counted(feature: str, *, at_least: int) -> int:
    """Return the sum of a feature's counts: the Python SDK sends them from a thread and doesn't wait."""
    deadline = time.monotonic() + 10
    while (total := _total(feature)) < at_least and time.monotonic() < deadline:
        time.sleep(0.05)
    return total


def _total(feature: str) -> int:
    buckets = FeatureEvaluationBucket.objects.filter(feature_name=feature)
    return sum(buckets.values_list("total_count", flat=True))
