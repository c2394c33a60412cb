"""What is handed to containers and platforms: that it agrees with itself, carries no secret, and starts."""

import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from django.conf import settings
from django.db import connection
from jsonschema import Draft7Validator

from app.routes import all_routes
from app.settings import common
from app.settings.environment import env
from app.tests.commands import MACHINE, Running, free_port, started
from core.asgi import departure

REPOSITORY = settings.REPOSITORY_DIR
COMPOSE = [
    "docker-compose.yml",
    "docker-compose.dev.yml",
    "docker/db.yaml",
    "docker/docker-compose.datadog.yml",
]
CHART = REPOSITORY / "deploy" / "helm" / "burgee"
MANIFESTS = sorted((REPOSITORY / "deploy" / "kubernetes").glob("*.yaml"))


def text(path: str) -> str:
    return (REPOSITORY / path).read_text()


def procfile(path: str = "Procfile") -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text(path).splitlines())


def objects() -> list[dict[str, Any]]:
    found = [each for path in MANIFESTS for each in yaml.safe_load_all(path.read_text())]
    return [each for each in found if each["kind"] != "Kustomization"]


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    pod = workload["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


# ---------------------------------------------------------------------------------------------
# Started, as platforms do
# ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """Return a copy of what a clone has, with static files collected as a build does it: without settings."""
    folder = tmp_path_factory.mktemp("checkout")
    made_here = shutil.ignore_patterns("tests", "static", "__pycache__")
    shutil.copytree(REPOSITORY / "api", folder / "api", ignore=made_here)
    shutil.copy(REPOSITORY / "Procfile", folder)
    subprocess.run(
        [sys.executable, "api/manage.py", "collectstatic", "--noinput"],
        cwd=folder,
        env={**MACHINE, "DJANGO_SETTINGS_MODULE": "app.settings.production"},
        capture_output=True,
        check=True,
    )
    return folder


@contextmanager
def running(checkout: Path, command: str, log: Path, **environment: str) -> Iterator[Running]:
    """Run a Procfile's command as it stands there, the way platforms do."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    defaults = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABASE_URL": database.geturl(),
        "DJANGO_SECRET_KEY": "what signs what the commands of the Procfile make, of more letters than one",
        "DJANGO_ALLOWED_HOSTS": "localhost",
    }
    with started(
        ["sh", "-c", command], log, folder=checkout, environment={**defaults, **environment}
    ) as process:
        yield process


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_procfile_start_what_they_are_for(checkout, tmp_path, environment):
    commands = procfile()
    port = free_port()
    url = f"http://localhost:{port}"

    with running(checkout, commands["release"], tmp_path / "release") as release:
        assert release.process.wait(120) == 0, release.output

    with running(checkout, commands["web"], tmp_path / "web", PORT=str(port), LOG_LEVEL="INFO") as web:
        web.wait_for("Application startup complete|Booting worker")
        web.wait_for(rf"Listening at: http://0\.0\.0\.0:{port}")
        flags = requests.get(
            f"{url}/api/v1/flags/", headers={"X-Environment-Key": environment.api_key}, timeout=30
        )
        style = requests.get(f"{url}/static/admin/css/base.css", timeout=10)
        elsewhere = requests.get(f"http://127.0.0.1:{port}/version/", timeout=10)
        assert web.interrupt(signal.SIGTERM) == 0

    with running(checkout, commands["worker"], tmp_path / "worker") as worker:
        worker.wait_for("Running jobs in 5 threads")
        assert worker.interrupt(signal.SIGTERM) == 0

    assert flags.status_code == 200, web.output
    assert "X-Burgee-Revision" in flags.headers  # of the lane, which only the ASGI application has
    assert "core.asgi.worker.Worker" in web.output
    assert style.status_code == 200
    assert elsewhere.status_code == 400  # production settings: only the hosts that are named


def test_each_procfile_starts_the_asgi_application_from_the_folder_of_the_code():
    beanstalk = procfile(".elasticbeanstalk/Procfile")

    assert set(procfile()) == {"release", "web", "worker"}
    assert set(beanstalk) == {"web"}  # each is a process there that is started again when it ends
    for command in (procfile()["web"], beanstalk["web"]):
        assert re.match(r"cd api && .*gunicorn --config python:app\.gunicorn app\.asgi$", command)
    # What Dokku runs before a deployment begins as `release` does, which comes after it.
    before, release = (
        command.replace(" && ", " ").replace("export ", "")
        for command in (json.loads(text("app.json"))["scripts"]["dokku"]["predeploy"], procfile()["release"])
    )
    assert release.startswith(f"{before} ")
    assert before.endswith(" migrate --noinput")
    assert "wsgi" not in text(".ebextensions/01-burgee.config").lower().replace("no wsgipath", "")


def test_the_archive_for_beanstalk_has_settings_and_a_procfile_of_its_own(tmp_path):
    clone = tmp_path / "clone"
    kept = ["generate.sh", ".elasticbeanstalk/Procfile", ".ebextensions/01-burgee.config", ".env.example"]
    for name in [*kept, "Procfile", "api/manage.py"]:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, clone / name)
    git = ["git", "-C", str(clone), "-c", "user.name=Kim", "-c", "user.email=kim@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All of it"]):
        subprocess.run([*git, *command], check=True)

    def generate(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", clone / "generate.sh"],
            env={**MACHINE, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = generate(DATABASE_URL="postgres://db/flags", DJANGO_SECRET_KEY="k")
    made = generate(
        DATABASE_URL='postgres://kim:"quoted"@db/flags',
        DJANGO_SECRET_KEY="it's: {secret}",
        DJANGO_ALLOWED_HOSTS="flags.example.org",
        PORT="80",
        SOMETHING_ELSE="x",
    )

    assert (refused.returncode, refused.stderr) == (1, "DJANGO_ALLOWED_HOSTS is not set.\n")
    assert made.returncode == 0, made.stderr
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", "dist/beanstalk.zip", "unpacked"], cwd=clone, check=True
    )
    options = yaml.safe_load((clone / "unpacked/.ebextensions/options.config").read_text())
    assert options["option_settings"]["aws:elasticbeanstalk:application:environment"] == {
        "DATABASE_URL": 'postgres://kim:"quoted"@db/flags',
        "DJANGO_SECRET_KEY": "it's: {secret}",
        "DJANGO_ALLOWED_HOSTS": "flags.example.org",
    }
    assert (clone / "unpacked/Procfile").read_text() == text(".elasticbeanstalk/Procfile")
    assert (clone / "unpacked/api/manage.py").exists()
    assert (clone / "dist/beanstalk.zip").stat().st_mode & 0o077 == 0


def test_the_null_device_is_no_access_log_and_statsd_is_told_where_to(monkeypatch):
    monkeypatch.setattr(common, "ACCESS_LOG_LOCATION", "/dev/null")
    monkeypatch.setattr(common, "STATSD_HOST", "datadog")
    monkeypatch.setattr(common, "PROMETHEUS_ENABLED", False)

    configuration = runpy.run_path(str(settings.API_DIR / "app" / "gunicorn.py"))

    assert configuration["accesslog"] is None
    assert configuration["statsd_host"] == "datadog:8125"
    assert configuration["statsd_prefix"] == "flagsmith.api"


def test_requests_at_hand_have_their_time_after_the_delay(monkeypatch):
    monkeypatch.setattr(common, "GUNICORN_GRACEFUL_TIMEOUT", 20)
    monkeypatch.setattr(common, "SHUTDOWN_DELAY_SECONDS", 5)
    monkeypatch.setattr(common, "PROMETHEUS_ENABLED", False)
    monkeypatch.setattr(departure, "delay_seconds", 0)  # and again afterwards

    configuration = runpy.run_path(str(settings.API_DIR / "app" / "gunicorn.py"))

    assert (configuration["graceful_timeout"], departure.delay_seconds) == (25, 5)


@pytest.mark.parametrize(
    ("successor", "predecessor", "is_announced"), [(0, 0, True), (7, 0, False), (0, 7, False)]
)
def test_only_a_server_that_has_its_port_to_itself_announces_its_end(
    monkeypatch, successor, predecessor, is_announced
):
    done: list[str] = []
    monkeypatch.setattr(departure, "announce", lambda: done.append("announced"))
    arbiter = SimpleNamespace(
        reexec_pid=successor, master_pid=predecessor, handle_term=lambda: done.append("ended")
    )

    departure.announced_by(arbiter)()

    assert done == (["announced", "ended"] if is_announced else ["ended"])


# ---------------------------------------------------------------------------------------------
# Read, as it stands there
# ---------------------------------------------------------------------------------------------
def test_one_version_of_python_is_named_everywhere():
    version = text(".python-version").strip()

    image = re.search(
        r"^ARG PYTHON=python:(\d+\.\d+)\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", text("Dockerfile"), re.M
    )
    assert image
    assert image[1] == version
    assert f"image: python:{version}-" in text(".gitlab-ci.yml")
    assert f"Python {version} running" in text(".elasticbeanstalk/config.yml")
    assert "python-version-file: .python-version" in text(".github/workflows/ci.yml")


def test_an_image_runs_as_nobody_and_is_asked_whether_it_lives():
    last = text("Dockerfile").rpartition("\nFROM ")[2]

    assert re.findall(r"^(USER|EXPOSE|CMD|ENTRYPOINT) (.*)$", last, re.M) == [
        ("USER", "65534:65534"),
        ("EXPOSE", "8000"),
        ("ENTRYPOINT", '["/app/docker/entrypoint.sh"]'),
        ("CMD", '["migrate-and-serve"]'),
    ]
    assert "HEALTHCHECK --interval=2s --timeout=2s --start-period=20s --retries=3" in last
    assert "ARG ACCESS_LOG_LOCATION=/dev/null" in last
    told = dict(re.findall(r"^(?:ENV)? +([A-Z_]+)=(\S+)", last, re.M))
    assert told["DJANGO_SETTINGS_MODULE"] == "app.settings.production"
    assert (told["GUNICORN_WORKERS"], told["GUNICORN_THREADS"], told["PORT"]) == ("3", "2", "8000")
    assert os.access(REPOSITORY / "docker" / "entrypoint.sh", os.X_OK)


def test_what_containers_are_told_are_settings_that_the_server_reads():
    declared = {variable.name for variable in env.declared}
    of_others = {"DJANGO_SETTINGS_MODULE", "POD_IP"}
    told = set(json.loads(text("app.json"))["env"])
    for path in COMPOSE[:2]:
        for name, service in yaml.safe_load(text(path))["services"].items():
            if name not in {"postgres", "redis", "secrets"}:
                told |= {each.removesuffix("_FILE") for each in service["environment"]}
    told |= {line.partition("=")[0] for line in text("deploy/kubernetes/settings.env").splitlines()}
    told |= set(
        re.findall(r'^ +(?:- name: |")([A-Z][A-Z_]+)"?', (CHART / "templates/_helpers.tpl").read_text(), re.M)
    )
    beanstalk = yaml.safe_load(text(".ebextensions/01-burgee.config"))["option_settings"]
    told |= set(beanstalk["aws:elasticbeanstalk:application:environment"])
    told |= set(re.findall(r"^([A-Z_]+)=", text("deploy/systemd/burgee.env.example"), re.M))

    assert told - declared - of_others == set()


@pytest.mark.parametrize("path", COMPOSE)
def test_no_compose_file_has_a_secret_of_its_own(path):
    for name, service in yaml.safe_load(text(path))["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|API_KEY", variable):
                is_asked_for = re.fullmatch(r"\$\{[A-Z_]+:(-|\?.+)\}", value)
                assert is_asked_for or variable.endswith("_FILE"), f"{name}: {variable}"


def test_containers_of_compose_may_do_little():
    services = yaml.safe_load(text("docker-compose.yml"))["services"]

    for name in ("secrets", "migrate", "api", "task-processor"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert services["api"]["ports"] == ["${PUBLISH_ON:-127.0.0.1}:${PORT:-8000}:8000"]


def test_pods_may_do_little_and_wait_for_migrations():
    workloads = [each for each in objects() if each["kind"] in {"Deployment", "Job"}]

    assert {each["metadata"]["name"] for each in workloads} == {
        "burgee-api",
        "burgee-migrate",
        "burgee-task-processor",
    }
    for workload in workloads:
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in containers(workload):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        if workload["kind"] == "Deployment":
            assert containers(workload)[0]["args"][:2] == ["waitfordb", "--migrations"]


def test_the_chart_takes_the_values_that_it_comes_with_and_refuses_others():
    schema = json.loads((CHART / "values.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    given = yaml.safe_load((CHART / "ci" / "all-values.yaml").read_text())

    def refusals(**values: Any) -> list[str]:
        return [error.message for error in Draft7Validator(schema).iter_errors({**defaults, **values})]

    assert refusals(allowedHosts=["flags.example.org"]) == []
    assert [error.message for error in Draft7Validator(schema).iter_errors(given)] == []
    assert refusals() != []  # host names have no default
    assert refusals(allowedHosts=["a"], env={"LOG_LEVEL": 3}) != []
    assert refusals(allowedHosts=["a"], databaseUrl="mysql://db") != []
    assert refusals(allowedHosts=["a"], replicas=3) != []


def test_an_ingress_leads_to_all_routes_but_those_for_operators():
    led = yaml.safe_load((CHART / "values.yaml").read_text())["ingress"]["paths"]

    firsts = {route.path.split("/")[1] for route in all_routes()} | {"admin", "static"}
    assert {path.strip("/") for path in led} == firsts - {"metrics", "processor", "scheduler", "database"}


def test_the_templates_of_the_chart_read_values_that_it_has():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    templates = {path.name: path.read_text() for path in (CHART / "templates").iterdir()}

    read = {path for text in templates.values() for path in re.findall(r"\.Values\.([\w.]+)", text)}
    for path in read:
        found: Any = values
        for name in path.split("."):
            assert name in found, path
            found = found[name]
    for name, text in templates.items():
        opened = re.findall(r"{{-? *(?:if|with|range|define)\b", text)
        assert len(opened) == len(re.findall(r"{{-? *end\b", text)), name
    assert len(read) > 40
