"""Pages whose rows say what others have, and what shows that it is here."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from app.tests.commands import manage

DOCS = Path(settings.REPOSITORY_DIR) / "docs"
PAGES = {"service-template.md": 40, "for-operators-of-flagsmith.md": 240}  # with so many rows at least


def shown_by() -> list[str]:
    """Return what the pages name to show a row: `app/tests/test_code.py::test_types_are_right`."""
    file, named = "", []
    text = "".join((DOCS / page).read_text() for page in PAGES)
    for path, test in re.findall(r"`([\w/]+\.py|…)(?:::(\w+))?`", text):
        if "/tests/" in path or path == "…":
            file = file if path == "…" else path
            named.append(f"{file}::{test}")
    return named


@pytest.mark.parametrize("path", sorted({each.partition("::")[0] for each in shown_by()}))
def test_every_test_that_a_page_names_is_there(path):
    code = (Path(settings.API_DIR) / path).read_text()

    tests = [test for file, _, test in (each.partition("::") for each in shown_by()) if file == path and test]
    assert [test for test in tests if not re.search(rf"^\s*def {test}\(", code, re.MULTILINE)] == []


@pytest.mark.parametrize(("page", "least"), PAGES.items())
def test_every_row_says_what_shows_it(page, least):
    text = (DOCS / page).read_text()
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]

    assert len(rows) >= least
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []


def test_three_variables_are_enough_to_start():
    result = manage(
        "check",
        DATABASE_URL="postgres://kim@localhost:1/flags",
        DEBUG="false",
        SECRET_KEY="k" * 50,
        DJANGO_SETTINGS_MODULE="app.settings.develop",
    )

    assert result.returncode == 0, result.stderr
    assert "System check identified no issues" in result.stdout


def test_make_can_do_what_templates_have():
    targets = re.findall(r"^([a-z-]+):.*## ", (DOCS.parent / "Makefile").read_text(), re.MULTILINE)

    assert {
        "setup",
        "run",
        "test",
        "doctest",
        "coverage",
        "lint",
        "typecheck",
        "migrate",
        "docs",
        "docker-build",
    }.issubset(targets)
