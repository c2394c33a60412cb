"""Secrets that clients put into URLs don't get into logs."""

import logging

import pytest

from core.masking import MaskKeys, masked, masked_url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/sse/environments/ser.8KzETdDeMY7xkqkSkY3Gsg/stream", "/sse/environments/ser.…/stream"),
        ("/api/v1/flags/?key=ser.8KzETdDeMY7xkqkSkY3Gsg&a=1", "/api/v1/flags/?key=ser.…&a=1"),
        ("/api/v1/users/7/", "/api/v1/users/7/"),
        ("/api/v1/user.json", "/api/v1/user.json"),
    ],
)
def test_server_side_keys_are_masked_and_nothing_else(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://a.example/password-reset/confirm/MQ/c5f/?a=1#x",
            "https://a.example/password-reset/confirm/…?a=1#x",
        ),
        ("//a.example/password-reset/MQ/c5f/", "//a.example/password-reset/…"),
        ("/password-reset/confirm/MQ/c5f/", "/password-reset/confirm/…"),
        ("https://kim:pw@a.example?token=c5f", "https://…@a.example?token=…"),
        ("https://a.example/projects/7/?page=2", "https://a.example/projects/7/?page=2"),
        ("about:blank", "about:blank"),
    ],
)
def test_urls_are_masked_in_all_their_parts(url, shown):
    assert masked_url(url) == shown


def test_what_a_logger_is_given_is_masked():
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s: %s %d", ("Not Found", "/ser.abc/", 7), None)

    assert MaskKeys().filter(record)
    assert record.getMessage() == "Not Found: /ser.…/ 7"


def test_a_path_that_is_not_found_is_logged_without_the_key(client, db, caplog):
    client.get("/sse/environments/ser.8KzETdDeMY7xkqkSkY3Gsg/stream")

    assert "ser.…" in caplog.text
    assert "8KzETdDeMY7xkqkSkY3Gsg" not in caplog.text
