"""`make run` from an empty folder: what it prints works, the data stays, and nothing is left running."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import requests
from django.db import connection

from app.tests.commands import MACHINE, free_port, manage, processes_of, running
from organisations.models import Organisation
from users.models import User
from users.tests.factories import PASSWORD

LAST_LINE = r"^print\(flags\.get_feature_value.*"


def sign_in(url: str, email: str, password: str) -> requests.Response:
    session = requests.Session()
    page = session.get(f"{url}/admin/login/", timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    return session.post(
        f"{url}/admin/login/?next=/admin/",
        {"username": email, "password": password, "csrfmiddlewaretoken": token[1]},
        timeout=10,
    )


def snippet(output: str) -> str:
    """Return the Python lines that were printed to be pasted."""
    found = re.search(
        r"^from flagsmith import .*?^print\(flags\.get_feature_value[^\n]*", output, re.M | re.S
    )
    assert found
    return found[0]


def test_a_first_run_and_a_second_one(tmp_path):
    data = tmp_path / "data"
    url = f"http://127.0.0.1:{(port := free_port())}"

    with running(tmp_path / "first", "run", DATA_DIR=str(data), PORT=str(port)) as first:
        first.wait_for(LAST_LINE)
        email, password = re.findall(r"^    (?:e-mail|password)  +(\S+)", first.output, re.MULTILINE)
        assert sign_in(url, email, password).url == f"{url}/admin/"
        assert requests.get(f"{url}/static/admin/css/base.css", timeout=10).ok
        assert requests.get(url, timeout=10).url.startswith(f"{url}/admin/")
        assert first.interrupt(signal.SIGINT) == 0
    assert processes_of(data) == []

    with running(tmp_path / "second", "run", DATA_DIR=str(data), PORT=str(port)) as second:
        second.wait_for(LAST_LINE, seconds=30)
        assert sign_in(url, email, password).url == f"{url}/admin/"
        assert second.interrupt(signal.SIGTERM) == 0
    assert processes_of(data) == []

    keys = [re.findall(r"-side  (\S+)", each.output) for each in (first, second)]
    assert len(keys[0]) == 4
    assert keys[0] == keys[1]
    assert password not in second.output
    assert f"changepassword {email}" in second.output
    assert password.encode() not in b"".join(path.read_bytes() for path in data.glob("*") if path.is_file())


def test_what_is_printed_works_when_pasted(tmp_path):
    with running(tmp_path / "log", "run", DATA_DIR=str(tmp_path / "data"), PORT=str(free_port())) as server:
        server.wait_for(LAST_LINE)
        curl, option, header, flags_url = shlex.split(server.wait_for(r"^ +(curl .*)$")[1])

        flags = requests.get(flags_url, headers=dict([header.split(": ")]), timeout=10)
        by_the_sdk = subprocess.run(
            [sys.executable],
            input=snippet(server.output),
            env=MACHINE,
            capture_output=True,
            text=True,
            check=True,
        )

        assert (curl, option) == ("curl", "-H")
        assert "banner_text" in [flag["feature"]["name"] for flag in flags.json()]
        assert by_the_sdk.stdout == "True\nFree delivery this week\n"
        server.interrupt()


def test_a_database_in_use_is_served_and_never_filled(transactional_db, tmp_path):
    owner = User.objects.create_superuser("kim@example.org", PASSWORD)
    Organisation.objects.create(name="Acme")
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")

    with running(
        tmp_path / "log", "run", DATA_DIR=str(tmp_path), PORT=str(free_port()), DATABASE_URL=database.geturl()
    ) as server:
        server.wait_for("^There is no environment yet")
        server.interrupt()

    assert f"as {owner.email}." in server.output
    assert User.objects.get() == owner
    assert Organisation.objects.get().name == "Acme"
    assert not (tmp_path / "postgres").exists()


def test_a_busy_port_is_told_in_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = manage("run", DATA_DIR=str(tmp_path), PORT=str(port))

    assert result.returncode == 1
    assert re.fullmatch(
        rf"CommandError: Port {port} can't be used \(.*\)\. .* make run PORT={port + 1}\n", result.stderr
    )
    assert not (tmp_path / "postgres" / "data").exists()


def test_a_database_that_is_away_is_told_in_one_line(tmp_path):
    url = f"postgres://kim:s3cret@127.0.0.1:{free_port()}/flags"

    result = manage("run", DATA_DIR=str(tmp_path), PORT=str(free_port()), DATABASE_URL=url)

    assert result.returncode == 1
    assert result.stderr.startswith("CommandError: The database can't be used: ")
    assert "Connection refused" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "s3cret" not in result.stderr
