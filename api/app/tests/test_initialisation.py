"""A new installation from the command line, in processes of their own."""

import os
import pty
import re
import sys
from urllib.parse import urlsplit

import pytest
from django.conf import global_settings
from django.db import connection

from app.tests.commands import MACHINE, MANAGE, manage
from organisations.models import Organisation
from projects.models import Project
from users.models import User
from users.tests.factories import PASSWORD

LINK = r"https?://\S+/password-reset/confirm/\w+/[\w-]+"
ALLOWED = {"ALLOW_ADMIN_INITIATION_VIA_CLI": "yes"}


@pytest.fixture
def database(transactional_db) -> dict[str, str]:
    """Return the environment of a process that works on this test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {"DATABASE_URL": url.geturl(), "DATA_DIR": "/nonexistent", "DJANGO_SECRET_KEY": "x" * 50}


def test_bootstrap_in_a_process_of_its_own(database):
    variables = {
        "ALLOW_ADMIN_INITIATION_VIA_CLI": "true",
        "ADMIN_EMAIL": "ada@example.org",
        "ORGANISATION_NAME": "Acme",
        "PROJECT_NAME": "Web shop",
    }

    first = manage("bootstrap", **database, **variables)
    second = manage("bootstrap", **database, **variables)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert re.search(LINK, first.stdout)
    assert User.objects.get().email == "ada@example.org"
    assert (Organisation.objects.get().name, Project.objects.get().name) == ("Acme", "Web shop")


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (
            ["bootstrap"],
            {**ALLOWED, "ADMIN_INITIAL_PASSWORD": "password"},
            "common",
        ),
        (["bootstrap"], {"ALLOW_ADMIN_INITIATION_VIA_CLI": "maybe"}, "ALLOW_ADMIN_INITIATION_VIA_CLI"),
        (
            ["bootstrap"],
            {**ALLOWED, "DATABASE_URL": "postgres://127.0.0.1:9/x"},
            "database",
        ),
        (["migrate"], {"DATABASE_URL": "postgres://kim:s3cret@127.0.0.1:9/x"}, "database"),
        (["nonsense"], {}, "Unknown command"),
    ],
    ids=["weak password", "no boolean", "no database", "nothing to migrate", "unknown command"],
)
def test_a_command_that_fails_says_why_with_status_1_and_no_trace(database, arguments, variables, words):
    result = manage(*arguments, **{**database, **variables})

    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "s3cret" not in result.stderr


def test_createsuperuser_asks_for_the_address_the_names_and_a_password(database, settings):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # as the process has them

    output = at_a_terminal(
        ["createsuperuser"],
        database,
        [
            ("E-mail address", "Ada@example.org"),
            ("First name", "Ada"),
            ("Last name", "Byron"),
            ("Password:", PASSWORD),
            (r"Password \(again\)", PASSWORD),
        ],
    )

    user = User.objects.get()
    assert "Superuser created successfully" in output
    assert (user.email, user.first_name, user.last_name) == ("ada@example.org", "Ada", "Byron")
    assert user.is_superuser
    assert user.check_password(PASSWORD)


def at_a_terminal(arguments: list[str], environment: dict[str, str], dialogue: list[tuple[str, str]]) -> str:
    """Run `manage.py` at a terminal, answer each question when it is asked, and return what was shown."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, MANAGE, *arguments], {**MACHINE, **environment})
    shown = ""
    try:
        for question, answer in dialogue:
            asked_at = len(shown)
            while not re.search(question, shown[asked_at:]):
                shown += os.read(terminal, 1024).decode()
            os.write(terminal, f"{answer}\n".encode())
        while piece := os.read(terminal, 1024):
            shown += piece.decode()
    except OSError:  # what Linux says when the other end is closed
        pass
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return shown
