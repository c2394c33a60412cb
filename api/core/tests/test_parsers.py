"""JSON from strangers is read strictly."""

import pytest

from core.parsers import parse_json


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e400]",
        b'"\xff"',
        b"[" * 10_000 + b"]" * 10_000,
        b"1" * 5_000,
    ],
    ids=["open", "empty", "NaN", "Infinity", "-Infinity", "1e400", "not UTF-8", "deep", "5000 digits"],
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ValueError, match=r"."):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[1e20, 1, -0.0]", [1e20, 1, -0.0]),
        ('"\u202eright to left"'.encode(), "\u202eright to left"),
    ],
    ids=["the last of duplicate keys", "numbers", "right to left"],
)
def test_odd_but_harmless_json_is_read(body, value):
    assert parse_json(body) == value
