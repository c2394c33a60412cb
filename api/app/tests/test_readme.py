"""The README's commands, taken from the README itself and typed in as they stand there."""

import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import requests
from django.conf import settings
from flagsmith import Flagsmith

from app.tests.commands import MACHINE, free_port, running
from core.tests.programs import program

README = (settings.REPOSITORY_DIR / "README.md").read_text()
PAGES = [*settings.REPOSITORY_DIR.glob("*.md"), *settings.REPOSITORY_DIR.glob("docs/*.md")]
SUPERUSER = {
    "DJANGO_SUPERUSER_EMAIL": "kim@example.org",
    "DJANGO_SUPERUSER_PASSWORD": "correct horse battery staple",
    "DJANGO_SUPERUSER_FIRST_NAME": "Kim",
    "DJANGO_SUPERUSER_LAST_NAME": "de Vries",
}


def block_under(heading: str, language: str) -> str:
    """Return the text of the code block in `language` under a heading."""
    block = re.search(rf"^## {heading}$.*?^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert block
    return block[1]


def test_the_first_ten_minutes(tmp_path):
    """The shell lines with what `make run` printed filled in, then the Python lines."""
    program("curl")
    port = free_port()
    with running(tmp_path / "log", "run", DATA_DIR=str(tmp_path / "data"), PORT=str(port)) as server:
        password = server.wait_for(r"^ +password +(\S+)")[1]
        key = server.wait_for(r"^ +Development +client-side +(\S+)")[1]
        address = {"http://127.0.0.1:8000": f"http://127.0.0.1:{port}"}

        shell = _filled_in(
            block_under("The first ten minutes", "sh"),
            {**address, "PASSWORD='…'": f"PASSWORD='{password}'", "KEY='…'": f"KEY='{key}'"},
        )
        python = _filled_in(block_under("The first ten minutes", "python"), {**address, '"…"': f'"{key}"'})
        set_by_curl = _run(["sh", "-eu"], shell)
        read_by_the_sdk = _run([sys.executable], python)

        assert '"enabled":true' in set_by_curl
        assert read_by_the_sdk == "True Back at noon\n"
        server.interrupt()


def test_the_path_by_hand(tmp_path):
    *installing, changing, migrate, cache_table, superuser, serving = block_under(
        "By hand", "sh"
    ).splitlines()
    environment = {**MACHINE, **SUPERUSER, "DATA_DIR": str(tmp_path / "data")}

    _assert_that_it_installs_what_is_pinned(installing)
    assert changing == "cd api"
    for command in (migrate, cache_table, f"{superuser} --noinput"):
        done = subprocess.run(
            _with_this_python(command),
            cwd=settings.API_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    port = free_port()
    manage, *arguments = _with_this_python(serving)[1:]
    assert manage == "manage.py"
    with running(tmp_path / "log", *arguments, str(port), DATA_DIR=environment["DATA_DIR"]) as server:
        server.wait_for(r"Quit the server with CONTROL-C")
        assert requests.get(f"http://127.0.0.1:{port}/admin/login/", timeout=10).ok
        assert requests.get(f"http://127.0.0.1:{port}/static/admin/css/base.css", timeout=10).ok
        server.interrupt()


def test_the_setting_of_the_python_sdk_is_one_that_it_has():
    assert {"environment_key", "api_url"} <= inspect.signature(Flagsmith.__init__).parameters.keys()


def test_every_link_of_a_page_leads_somewhere():
    broken = [
        f"{page.name}: {link}"
        for page in PAGES
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text())
        if not _leads_somewhere(page, link)
    ]

    assert broken == []


def test_the_readme_names_every_page():
    pages = [str(page.relative_to(settings.REPOSITORY_DIR)) for page in PAGES]

    assert [page for page in pages if page.startswith("docs/") and f"]({page})" not in README] == []


def test_the_files_that_the_architecture_names_are_there():
    document = (settings.REPOSITORY_DIR / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", document))

    assert len(named) > 30
    assert sorted(path for path in named if not (settings.API_DIR / path).exists()) == []


def test_the_tree_in_the_readme_is_the_tree():
    listed = re.search(r"^## Where things live\n\n(.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert listed

    named = set(re.findall(r"(\w+)/", listed[1])) - {"api", "docker", "deploy"}

    assert named == {each.name for each in settings.API_DIR.iterdir() if (each / "__init__.py").exists()}


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not heading or heading in _anchors(target.read_text()))


def _anchors(page: str) -> set[str]:
    """Return what links to the headings of a page end with: words in small letters, joined by hyphens."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _assert_that_it_installs_what_is_pinned(commands: list[str]) -> None:
    """Check the commands that make the environment; the last one only says what it would do."""
    *_, synchronise = commands
    program, *files = shlex.split(synchronise)
    told = subprocess.run(
        [sys.executable, "-m", "piptools", "sync", "--dry-run", *files],
        cwd=settings.REPOSITORY_DIR,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (program, told.returncode) == ("pip-sync", 0), told.stdout + told.stderr
    assert "Everything up-to-date" in told.stdout + told.stderr


def _with_this_python(command: str) -> list[str]:
    python, *arguments = shlex.split(command)
    assert python == "python"
    return [sys.executable, *arguments]


def _filled_in(text: str, blanks: dict[str, str]) -> str:
    for blank, filling in blanks.items():
        assert blank in text
        text = text.replace(blank, filling)
    return text


def _run(command: list[str], script: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command, input=script, env={**MACHINE, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
