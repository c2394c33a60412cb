"""Errors have the shape that clients know."""

import pytest
from django.db import InterfaceError, OperationalError

from core.errors import exception_handler, for_clients, server_error


def test_an_items_errors_stand_at_its_place():
    errors = {"traits": {1: {"trait_key": ["This field is required."]}}}

    assert for_clients(errors) == {"traits": [{}, {"trait_key": ["This field is required."]}]}


def test_a_message_that_repeats_what_was_sent_is_cut():
    (message,) = for_clients({"type": [f'"{"x" * 30_000}" is not a valid choice.']})["type"]

    assert message == '"' + "x" * 999 + "…"


def test_other_errors_stay_as_they_are():
    errors = {"detail": "Not found.", "name": ["Too long.", "Odd."]}

    assert for_clients(errors) == errors


@pytest.mark.parametrize("error", [OperationalError("server closed"), InterfaceError("connection closed")])
def test_a_database_that_is_away_is_503_wherever_it_is_noticed(rf, error):
    in_api = exception_handler(error, {})
    try:
        raise error
    except type(error):
        elsewhere = server_error(rf.get("/"))

    assert in_api
    for response in (in_api, elsewhere):
        assert (response.status_code, response["Retry-After"]) == (503, "1")


def test_a_fault_of_ours_is_500(rf):
    assert exception_handler(KeyError("x"), {}) is None
    assert server_error(rf.get("/")).status_code == 500
