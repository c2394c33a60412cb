"""Routes for probes, monitoring and dashboards, through Django; the server's own are in `app/tests`."""

import json
import re

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from core.version import VERSION
from operations import health, version
from operations.metrics.states import States
from sdk.store import SnapshotStore
from tasks.models import Job, State
from tasks.services import enqueue, run_due
from users.models import User
from users.tests.factories import PASSWORD, make_user

HEALTH = ["/health", "/health/readiness/", "/healthcheck"]


@pytest.mark.parametrize(
    "path",
    [
        "/health/liveness/",
        "/version/",
        "/robots.txt",
        "/config/project-overrides",
        "/config/project-overrides.js",
        *HEALTH,
    ],
)
def test_each_path_answers_everybody_with_and_without_slash_and_without_redirect(path, db):
    bare = path.rstrip("/")

    assert [Client().get(each).status_code for each in (bare, f"{bare}/")] == [200, 200]


def test_liveness_touches_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Client().get("/health/liveness/")

    assert (response.json(), response["Content-Type"]) == ({"status": "ok"}, "application/json")


def test_health_names_each_check_as_a_page_or_as_json(db):
    assert "<td>MigrationsHealthCheck</td><td>working</td>" in Client().get("/health").content.decode()
    for response in (
        Client().get("/health", headers={"Accept": "application/json"}),
        Client().get("/health?format=json", headers={"Accept": "text/html"}),
    ):
        assert response.json() == {
            "DatabaseBackend": "working",
            "MigrationsHealthCheck": "working",
            "TriggersHealthCheck": "working",
            "CacheBackend": "working",
            "CacheBackend[environments]": "working",
        }
    assert Client().get("/health", headers={"Accept": "*/*"})["Content-Type"].startswith("text/html")
    assert Client().get("/health", headers={"Accept": "image/png"}).status_code == 406


def test_what_the_server_cannot_do_without_is_a_500_and_a_cache_is_not(db, settings, monkeypatch):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }

    response = Client().get("/health?format=json")

    assert (response.status_code, response.json()["CacheBackend"]) == (200, "The cache doesn't answer.")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE features_feature DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'tasks' AND name LIKE '0001%'")
    for path in HEALTH:
        response = Client().get(f"{path}?format=json")
        assert response.status_code == 500
        assert response.json()["MigrationsHealthCheck"] == "1 migrations aren't applied."
        assert "are missing or switched off" in response.json()["TriggersHealthCheck"]


def test_probes_may_ask_for_any_host(db, settings):
    settings.ALLOWED_HOSTS = ["flags.example.org"]

    statuses = {
        path: Client().get(path, headers={"Host": "10.1.2.3:8000"}).status_code
        for path in (*HEALTH, "/version/")
    }

    assert statuses == {**dict.fromkeys(HEALTH, 200), "/version/": 400}


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [("/health", 500, "Not working"), ("/health/readiness/", 200, "Degraded")],
)
def test_for_readiness_it_is_enough_to_serve_flags_without_the_database(
    db, monkeypatch, path, status, heading
):
    monkeypatch.setattr(SnapshotStore, "can_serve", True)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")

        response = Client().get(path)

    assert response.status_code == status
    assert f"<h1>{heading}</h1>" in response.content.decode()


def test_a_database_that_takes_no_writes_is_no_working_one_and_its_words_are_not_repeated(db, caplog):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")

        response = Client().get("/health?format=json")

    assert (response.status_code, response.json()["DatabaseBackend"]) == (500, health.AWAY)
    assert "read-only transaction" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_health_can_see_whether_a_task_processor_runs_tasks(settings, monkeypatch):
    settings.TASK_RUN_METHOD = "TASK_PROCESSOR"
    settings.ENABLE_TASK_PROCESSOR_HEALTH_CHECK = True
    monkeypatch.setattr(health, "_TASK_SECONDS", 0.1)

    without = Client().get("/health?format=json")
    monkeypatch.setattr(health, "sleep", lambda seconds: run_due())
    within = Client().get("/health?format=json")

    name = "TaskProcessorHealthCheckBackend"
    assert (without.status_code, without.json()[name]) == (
        200,
        "No task processor has run a task within 0.1 seconds.",
    )
    assert within.json()[name] == "working"


def test_version_says_what_runs_here_and_whether_it_is_in_use(db, settings, tmp_path):
    version.commit.cache_clear()
    version.package_versions.cache_clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST_USER = ""

    fresh = Client().get("/version/").json()

    assert fresh == {
        "ci_commit_sha": "unknown",
        "image_tag": VERSION,
        "has_email_provider": False,
        "is_enterprise": False,
        "is_saas": False,
        "self_hosted_data": {"has_users": False, "has_logins": False},
        "package_versions": {".": VERSION},
    }
    settings.EMAIL_HOST_USER = "kim"
    settings.API_DIR = tmp_path
    (tmp_path / "CI_COMMIT_SHA").write_text("abc123\n")
    (tmp_path / ".versions.json").write_text('{".": "2.3.4"}')
    version.commit.cache_clear()
    version.package_versions.cache_clear()
    Client().force_login(make_user())
    used = Client().get("/version/").json()
    version.commit.cache_clear()
    version.package_versions.cache_clear()
    assert (used["ci_commit_sha"], used["image_tag"], used["has_email_provider"]) == ("abc123", "2.3.4", True)
    assert used["self_hosted_data"] == {"has_users": True, "has_logins": True}


def test_dashboards_are_told_what_is_set_as_javascript_that_is_safe_in_a_page(settings):
    settings.PREVENT_SIGNUP = True
    settings.SENTRY_API_KEY = "</script><script>alert(1)"
    settings.REO_API_KEY = ""

    response = Client().get("/config/project-overrides")

    script = response.content.decode()
    assert response["Content-Type"].startswith("application/javascript")
    assert "<" not in script
    assigned = re.fullmatch(r"window\.projectOverrides = ({.*});\n", script)
    assert assigned
    overrides = json.loads(assigned[1])
    assert overrides["preventSignup"] is True
    assert overrides["api"] == "/api/v1/"
    assert overrides["sentry"] == "</script><script>alert(1)"
    assert "reo" not in overrides


def test_robots_are_asked_to_stay_away():
    response = Client().get("/robots.txt")

    assert response["Content-Type"] == "text/plain"
    assert response.content == b"User-agent: *\nDisallow: /\n"


def test_staff_see_how_many_jobs_wait_and_nobody_else_does(member, client_of):
    enqueue("operations.answer_health_check")
    Job.objects.create(task="done", state=State.DONE, most_attempts=1)

    staff = User.objects.create_superuser("root@example.org", PASSWORD)

    assert client_of(staff).get("/processor/monitoring/").json() == {"waiting": 1}
    assert client_of(member).get("/processor/monitoring/").status_code == 403
    assert APIClient().get("/processor/monitoring/").status_code == 401


def test_metrics_count_tasks_and_show_the_queue(db):
    enqueue("operations.answer_health_check")

    response = Client().get("/metrics/")

    text = response.content.decode()
    assert response["Content-Type"].startswith("text/plain; version=")
    assert 'enqueued_tasks_total{task_identifier="operations.answer_health_check"}' in text
    assert "burgee_jobs_due 1.0" in text
    run_due()
    text = Client().get("/metrics/").content.decode()
    labels = 'result="success",task_identifier="operations.answer_health_check",task_type="standard"'
    assert f"flagsmith_task_processor_finished_tasks_total{{{labels}}}" in text
    assert f"flagsmith_task_processor_task_duration_seconds_count{{{labels}}}" in text
    build = f'ci_commit_sha="{version.commit()}",version="{VERSION}"'
    assert f"flagsmith_build_info{{{build}}} 1.0" in text
    assert "burgee_jobs_due 0.0" in text


def test_environments_that_were_loaded_are_hits_of_what_is_kept_or_misses(db):
    def counted() -> dict[str, float]:
        text = Client().get("/metrics/").content.decode()
        found = re.findall(
            r'^flagsmith_environment_document_cache_queries_total{result="(\w+)"} (.+)$', text, re.M
        )
        return {"CACHE_HIT": 0.0, "CACHE_MISS": 0.0} | {result: float(number) for result, number in found}

    before = counted()
    loaded = {"snapshots_built": 4, "snapshots_from_cache": 2, "snapshots_from_files": 1}
    States({"": lambda: loaded}).write()

    after = counted()
    assert {result: after[result] - before[result] for result in after} == {
        "CACHE_HIT": 3.0,
        "CACHE_MISS": 4.0,
    }


def test_without_prometheus_there_are_no_metrics(db, settings):
    settings.PROMETHEUS_ENABLED = False

    assert Client().get("/metrics/").status_code == 404
