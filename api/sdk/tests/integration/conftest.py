"""The server that `make run` starts, a shop's flags in its database, and the SDKs that read them."""

import fcntl
import hashlib
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.db import connection

from core.tests.programs import program, required
from environments.models import Environment
from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from features.models.values import FlagValue
from identities.models import Identity
from organisations.models import Organisation
from projects.models import Project
from sdk.tests.integration.clients import Client, NodeClient, PythonClient, Traits
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule

_HERE = Path(__file__).parent
_NO_NETWORK = re.compile(r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH")


@pytest.fixture(scope="module")
def server(django_db_setup, tmp_path_factory) -> Iterator[str]:
    """The base URL of a running server: the command of `make run`, on the test's database."""
    listener = socket.create_server(("127.0.0.1", 0))
    listening = listener.fileno()
    gunicorn = ["gunicorn", "--config", "python:app.gunicorn", "--bind", f"fd://{listening}", "app.asgi"]
    process = subprocess.Popen(
        [sys.executable, "-m", *gunicorn],
        cwd=settings.API_DIR,
        env={
            **os.environ,
            **environment_of_server(tmp_path_factory.mktemp("snapshots")),
            "OFREP_NATIVE_JSON": "true",
        },
        pass_fds=[listening],
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        urlopen(f"{url}/api/v1/swagger.json", timeout=60).close()
        yield f"{url}/api/v1/"
    finally:
        listener.close()
        process.terminate()
        process.wait(30)


def environment_of_server(snapshots: Path) -> dict[str, str]:
    """Return what lets a server find the test's database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {
        "DATABASE_URL": database.geturl(),
        "DJANGO_SETTINGS_MODULE": "app.settings.test",
        "SNAPSHOT_DIR": str(snapshots),
    }


@dataclass(frozen=True)
class Shop:
    """An environment with something of every kind, and its keys."""

    environment: Environment
    client_key: str
    server_key: str


@pytest.fixture
def shop(db) -> Shop:
    project = Project.objects.create(organisation=Organisation.objects.create(name="Acme"), name="Shop")
    environment = Environment.objects.create(project=project, name="Production")

    def feature(name: str, value: str | None = None, *, enabled: bool = True, **fields: bool) -> Feature:
        return Feature.objects.create(
            project=project, name=name, initial_value=value, default_enabled=enabled, **fields
        )

    def override(feature: Feature, value: FlagValue = None, **target: object) -> None:
        state = FeatureState(feature=feature, environment=environment, enabled=True, **target)
        state.value = value
        state.save()

    def for_segment(feature: Feature, segment: Segment, value: FlagValue = None) -> None:
        override(
            feature,
            value,
            feature_segment=FeatureSegment.objects.create(
                feature=feature, segment=segment, environment=environment
            ),
        )

    feature("text", "hello")
    feature("number", "20")
    feature("switch", "true")
    feature("off", "unseen", enabled=False)
    feature("secret", "for servers", is_server_key_only=True)
    colour = feature("colour", "blue")
    for key, share in (("green", 30), ("orange", 20)):
        MultivariateOption.objects.create(
            feature=colour, key=key, string_value=key, default_percentage_allocation=share
        )
    for_segment(feature("paying", "no", enabled=False), _paying_abroad(project), "yes")
    for_segment(feature("rollout", enabled=False), _share_of_all(project, 25))
    kim = Identity.objects.create(environment=environment, identifier="kim")
    override(feature("personal", "everyone"), "kim alone", identity=kim)
    override(feature("limit", "10"), 50, identity=kim)
    key = environment.server_side_keys.create(name="server")
    return Shop(environment, environment.api_key, key.key)


def _paying_abroad(project: Project) -> Segment:
    """Plan is pro or enterprise, and the country isn't US."""
    segment = Segment.objects.create(project=project, name="paying abroad")
    everything = SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    paying = SegmentRule.objects.create(segment=segment, parent=everything, type=RuleType.ANY)
    abroad = SegmentRule.objects.create(segment=segment, parent=everything, type=RuleType.NONE)
    for rule, trait, value in (
        (paying, "plan", "pro"),
        (paying, "plan", "enterprise"),
        (abroad, "country", "US"),
    ):
        Condition.objects.create(rule=rule, operator=Operator.EQUAL, property=trait, value=value)
    return segment


def _share_of_all(project: Project, percent: int) -> Segment:
    segment = Segment.objects.create(project=project, name=f"{percent} percent")
    everyone = SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    split = SegmentRule.objects.create(segment=segment, parent=everyone, type=RuleType.ANY)
    Condition.objects.create(rule=split, operator=Operator.PERCENTAGE_SPLIT, value=str(percent))
    return segment


@pytest.fixture(scope="session")
def crowd() -> list[tuple[str, Traits]]:
    """500 identities, always the same ones."""
    chance = random.Random(2026)
    return [
        (
            f"user-{number}",
            {
                "plan": chance.choice(["free", "pro", "enterprise"]),
                "country": chance.choice(["NL", "FR", "US"]),
                "age": chance.randint(18, 80),
                "spent": chance.randint(0, 10_000) / 100,
                "newsletter": chance.random() < 0.5,
            },
        )
        for number in range(500)
    ]


@pytest.fixture(scope="session")
def node_packages() -> Path:
    """The folder where what package-lock.json pins is installed: once for each state of that file."""
    lock_file = _HERE / "package-lock.json"
    folder = (
        settings.REPOSITORY_DIR / ".data" / "node" / hashlib.sha256(lock_file.read_bytes()).hexdigest()[:16]
    )
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes run side by side
        if not done.exists():
            for file in (_HERE / "package.json", lock_file):
                shutil.copy(file, folder)
            _install(folder)
            done.touch()
    return folder


def _install(folder: Path) -> None:
    node = Path(program("node"))
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    finished = subprocess.run(
        [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode and _NO_NETWORK.search(finished.stderr):
        reason = "the Node SDK can't be installed: npm reaches no registry"
        if "node" in required():
            pytest.fail(f"{reason}, and REQUIRE names node", pytrace=False)
        pytest.skip(reason)
    assert finished.returncode == 0, finished.stderr


@pytest.fixture(params=["python", "node"])
def sdk(request: pytest.FixtureRequest) -> Client:
    if request.param == "python":
        return PythonClient()
    return NodeClient(program("node"), request.getfixturevalue("node_packages"))
