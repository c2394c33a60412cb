"""The code itself: style, types, the order of imports, migrations. Part of every test run."""

import doctest
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command


def run(*command: str) -> None:
    """Run a check in the repository and show what it says when it fails."""
    result = subprocess.run(
        command,
        cwd=settings.REPOSITORY_DIR,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(settings.API_DIR)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_types_are_right():
    run(sys.executable, "-m", "mypy", "api", "bench")


def test_style_is_clean():
    run(sys.executable, "-m", "ruff", "check", ".")


def test_code_is_formatted():
    run(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_imports_go_downwards():
    run(sys.executable, str(Path(sys.executable).with_name("lint-imports")))


def test_every_model_change_has_its_migration(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in settings.API_DIR.rglob("*.py")
        if re.search(r"^ +>>> ", path.read_text(), re.MULTILINE)
    ],
    ids=lambda path: str(path.relative_to(settings.API_DIR)),
)
def test_examples_in_docstrings_hold(path):
    module = import_module(".".join(path.relative_to(settings.API_DIR).with_suffix("").parts))

    assert doctest.testmod(module).failed == 0
