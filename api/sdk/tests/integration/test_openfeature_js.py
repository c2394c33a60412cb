"""OpenFeature's JavaScript SDKs, of servers and of browsers, with their own OFREP providers."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.tests.programs import program

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # the server is another process

_PROGRAM = Path(__file__).with_name("openfeature_client.mjs")
KIM = {"targetingKey": "kim", "plan": "pro", "country": "NL"}
READS = {
    ("string", "text"): ("hello", "STATIC", "default"),
    ("number", "number"): (20, "STATIC", "default"),
    ("boolean", "switch"): (True, "STATIC", "default"),
    ("string", "paying"): ("yes", "TARGETING_MATCH", "default"),
    ("string", "personal"): ("kim alone", "TARGETING_MATCH", "default"),
    ("number", "limit"): (50, "TARGETING_MATCH", "default"),
    ("object", "theme"): ({"dark": True}, "STATIC", "default"),
    ("string", "unknown"): ("default", "FLAG_NOT_FOUND", None),
    ("boolean", "text"): (False, "TYPE_MISMATCH", None),
}


@pytest.fixture
def ask(server, shop, node_packages):
    """Return what an SDK says: `ask("web", [("string", "text")])`."""

    def ask(kind: str, reads: Any) -> Any:
        task = {
            "url": server.removesuffix("/api/v1/"),
            "key": shop.client_key,
            "kind": kind,
            "reads": list(reads),
            "context": KIM,
        }
        finished = subprocess.run(
            [program("node"), _PROGRAM, node_packages],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    return ask


def said(answer: dict[str, Any]) -> tuple[Any, Any, Any]:
    return answer["value"], answer.get("errorCode") or answer["reason"], answer.get("variant")


@pytest.mark.parametrize("kind", ["server", "web"])
def test_values_traits_and_overrides(shop, ask, kind):
    make_theme(shop)

    answers = ask(kind, READS)["answers"]

    assert dict(zip(READS, map(said, answers), strict=True)) == READS


def test_a_flag_that_is_off_gives_the_codes_default(ask):
    (in_browser,) = ask("web", [("string", "off")])["answers"]
    # This provider doesn't know yet that a value may be left out: an error, and the default all the same.
    (on_server,) = ask("server", [("string", "off")])["answers"]

    assert said(in_browser) == ("default", "DISABLED", "disabled")
    assert on_server["value"] == "default"


def test_browsers_find_the_stream(server, shop, ask):
    streams = ask("web", [])["streams"]

    assert streams == [f"{server.removesuffix('/api/v1/')}/ofrep/v1/events/{shop.client_key}"]


def make_theme(shop) -> None:
    shop.environment.project.features.create(
        name="theme", initial_value='{"dark": true}', default_enabled=True
    )
