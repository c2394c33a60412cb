import pytest

from engine.values import normalise


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("5", 5),
        ("-3", -3),
        ("007", 7),
        ("1.50", 1.5),
        ("-0.5", -0.5),
        ("9" * 30, int("9" * 30)),
        ("9" * 4301, "9" * 4301),
        ("9" * 400 + ".0", float("inf")),
        ("1e3", "1e3"),
        ("+5", "+5"),
        (" 5", " 5"),
        ("5\n", "5\n"),
        ("1.", "1."),
        (".5", ".5"),
        ("1_000", "1_000"),
        ("٣", "٣"),
        ("true", "true"),
        ("", ""),
        (5, 5),
        (True, True),
        (1.5, 1.5),
        (None, None),
        (["x", 5], "['x', 5]"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_text_of_a_number_is_a_number_and_a_container_is_its_text(value, normalised):
    result = normalise(value)

    assert result == normalised
    assert type(result) is type(normalised)


def test_a_container_that_has_no_text_is_not_set():
    assert normalise([10**5000]) is None
