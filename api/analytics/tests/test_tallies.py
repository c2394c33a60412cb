"""What waits in memory adds up and stays within its bound."""

import pytest

from analytics import tallies
from analytics.models import Resource
from analytics.tallies import MOST_CLIENTS, OTHER_CLIENTS, EvaluationTally, RequestTally

QUARTER = 15 * 60


@pytest.fixture
def clock(monkeypatch):
    """The time, in seconds, for a test to set: `clock[0] += 60`."""
    now = [1000.0 * QUARTER]
    monkeypatch.setattr(tallies, "time", lambda: now[0])
    return now


def test_requests_add_up_by_environment_resource_and_client(clock):
    tally = RequestTally()

    for environment_id, resource, client in [
        (7, Resource.FLAGS, "python\t\t"),
        (7, Resource.FLAGS, "python\t\t"),
        (7, Resource.FLAGS, "java\t\t"),
        (7, Resource.TRAITS, "java\t\t"),
        (8, Resource.FLAGS, "java\t\t"),
        (8, Resource.IDENTITIES, "java\t\t"),
        (8, Resource.ENVIRONMENT_DOCUMENT, "java\t\t"),
    ]:
        tally.add(environment_id, resource, client)

    assert tally.take() == {
        (7, 1000, 1, "python\t\t"): 2,
        (7, 1000, 1, "java\t\t"): 1,
        (7, 1000, 3, "java\t\t"): 1,
        (8, 1000, 1, "java\t\t"): 1,
        (8, 1000, 2, "java\t\t"): 1,
        (8, 1000, 4, "java\t\t"): 1,
    }
    assert tally.take() == {}


def test_a_request_belongs_to_the_quarter_of_an_hour_in_which_it_came(clock):
    tally = RequestTally()

    clock[0] += QUARTER - 0.001
    tally.add(7, Resource.FLAGS, "")
    clock[0] += 0.001
    tally.add(7, Resource.FLAGS, "")

    assert tally.take() == {(7, 1000, 1, ""): 1, (7, 1001, 1, ""): 1}


def test_of_too_many_clients_of_an_environment_the_rest_is_one(clock):
    tally = RequestTally()

    for number in range(MOST_CLIENTS + 50):
        tally.add(7, Resource.FLAGS, f"client {number}")
    tally.take()  # what is written between doesn't let more in
    for number in (0, MOST_CLIENTS, MOST_CLIENTS + 1):
        tally.add(7, Resource.FLAGS, f"client {number}")
    tally.add(8, Resource.FLAGS, "another's client")
    clock[0] += QUARTER
    tally.add(7, Resource.FLAGS, "client 149")

    assert tally.take() == {
        (7, 1000, 1, "client 0"): 1,
        (7, 1000, 1, OTHER_CLIENTS): 2,
        (8, 1000, 1, "another's client"): 1,
        (7, 1001, 1, "client 149"): 1,
    }


def test_requests_that_wait_are_bounded_and_what_is_dropped_is_told(clock):
    tally = RequestTally(most=10)

    for environment_id in range(20):
        tally.add(environment_id, Resource.FLAGS, "client")
        tally.add(environment_id, Resource.FLAGS, "client")

    counted = tally.take()
    # From half of the room on clients are no longer told apart.
    assert [client for *_, client in counted] == ["client"] * 5 + [OTHER_CLIENTS] * 5
    assert sum(counted.values()) + tally.dropped == 40
    tally.add(19, Resource.FLAGS, "client")
    assert len(tally) == 1


def test_evaluations_add_up_by_feature_and_by_identity(clock):
    tally = EvaluationTally()

    tally.add(7, "new_checkout", 2)
    tally.add(7, "new_checkout", 3)
    tally.add_for_identity(7, "new_checkout", "kim", True, 4)
    tally.add_for_identity(7, "new_checkout", "kim", True, 5)
    tally.add_for_identity(7, "new_checkout", "kim", False, 6)

    assert tally.take() == {
        (7, 1000, "new_checkout", None, None): 5,
        (7, 1000, "new_checkout", "kim", True): 9,
        (7, 1000, "new_checkout", "kim", False): 6,
    }


def test_of_too_many_identities_the_rest_counts_for_the_feature(clock):
    tally = EvaluationTally(most=10)

    for number in range(20):
        tally.add_for_identity(7, "new_checkout", f"identity {number}", True, 1)

    counted = tally.take()
    assert counted.pop((7, 1000, "new_checkout", None, None)) == 15
    assert len(counted) == 5
    assert tally.dropped == 0


def test_long_identifiers_take_more_of_the_room(clock):
    tally = EvaluationTally(most=100)

    for number in range(100):
        tally.add_for_identity(7, "new_checkout", f"{number}" + "x" * 1990, True, 1)

    assert len(tally) < 10
