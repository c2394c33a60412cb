"""Errors have the shape that clients know."""

from core.errors import for_clients


def test_an_items_errors_stand_at_its_place():
    errors = {"traits": {1: {"trait_key": ["This field is required."]}}}

    assert for_clients(errors) == {"traits": [{}, {"trait_key": ["This field is required."]}]}


def test_a_message_that_repeats_what_was_sent_is_cut():
    (message,) = for_clients({"type": [f'"{"x" * 30_000}" is not a valid choice.']})["type"]

    assert message == '"' + "x" * 999 + "…"


def test_other_errors_stay_as_they_are():
    errors = {"detail": "Not found.", "name": ["Too long.", "Odd."]}

    assert for_clients(errors) == errors
