"""Answers of identities that are kept: what leaves, and that nothing wrong is ever answered."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from sdk.kept_answers import Answer, KeptAnswers

KIB = 1024
# An answer of this length, and what is asked with it.
ENTRY = KIB + len("user-001")


def question(number: int, traits: bytes = b"") -> tuple[str, int, bool, str, bytes]:
    return ("identities", 1, True, f"user-{number:03}", traits)


class Maker:
    """Makes answers of a kibibyte, and counts."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Answer:
        self.made += 1
        return Answer(b"x" * KIB)


def ask(kept: KeptAnswers, number: int, times: int = 1) -> int:
    """Ask `times` times, and return how often the answer had to be made."""
    maker = Maker()
    for _ in range(times):
        assert kept.answer(question(number), maker) == Answer(b"x" * KIB)
    return maker.made


def test_what_is_asked_again_is_kept():
    kept = KeptAnswers(10 * ENTRY)

    assert ask(kept, 1, times=10) == 2


def test_what_is_asked_once_takes_no_place():
    kept = KeptAnswers(2 * ENTRY)
    ask(kept, 1, times=2)
    ask(kept, 2, times=2)

    for number in range(100, 200):
        ask(kept, number)

    assert (ask(kept, 1), ask(kept, 2)) == (0, 0)


def test_the_longest_unused_leaves_first():
    kept = KeptAnswers(2 * ENTRY)
    ask(kept, 1, times=2)
    ask(kept, 2, times=2)
    ask(kept, 1)

    ask(kept, 3, times=2)

    assert (ask(kept, 3), ask(kept, 1), ask(kept, 2)) == (0, 0, 1)


def test_what_was_asked_takes_its_place_too():
    kept, maker = KeptAnswers(2 * KIB), Maker()

    for _ in range(5):
        kept.answer(question(1, traits=b"x" * 2 * KIB), maker)

    assert maker.made == 5


def test_without_memory_nothing_is_kept():
    assert ask(KeptAnswers(0), 1, times=5) == 5


def test_threads_may_ask_at_once():
    kept = KeptAnswers(4 * ENTRY)

    with ThreadPoolExecutor(8) as threads:
        rounds = list(threads.map(lambda number: ask(kept, number % 6, times=50), range(48)))

    assert len(rounds) == 48
    assert sum(ask(kept, number) for number in range(6)) >= 2  # no more than four have a place


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, "1"), (1, 1.0), (True, "true"), (0, False), ("a", "A"), (10**15, float(10**15))],
)
def test_traits_that_python_takes_for_equal_are_told_apart(one, other, environment, sdk_client):
    """Whichever of them was asked for before, and however often."""
    answers = {
        json.dumps(value): [evaluate(sdk_client, value) for _ in range(4)] for value in (one, other, one)
    }

    for value, bodies in answers.items():
        assert {json.dumps(body["traits"][0]["trait_value"]) for body in bodies} == {value}
        assert len({json.dumps(body) for body in bodies}) == 1


def evaluate(client, value: object) -> dict:
    body = {"identifier": "kim", "transient": True, "traits": [{"trait_key": "t", "trait_value": value}]}
    return client.post("/api/v1/identities/", body, format="json").json()
