"""The catalogue, and what is written about it."""

from pathlib import Path

import pytest

from permissions.catalogue import Level, permissions_at

PAGE = (Path(__file__).parents[3] / "docs" / "permissions.md").read_text()


@pytest.mark.parametrize(("level", "number"), zip(Level, [2, 10, 8], strict=True))
def test_there_are_as_many_permissions_as_clients_know(level, number):
    assert len({each.key for each in permissions_at(level)}) == number


def test_the_page_about_permissions_has_the_whole_catalogue():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert rows == [
        f"| `{each.key}` | {each.description} | {'yes ' if each.supports_tag else ''}|"
        for level in Level
        for each in permissions_at(level)
    ]
