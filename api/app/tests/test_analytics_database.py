"""Counts in a database of their own: they go there, are read there, and nothing else is."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from analytics.models import CountsWriter, FeatureEvaluationBucket, FirstEvaluation, RequestBucket
from analytics.partitions import parts_of
from analytics.tasks import delete_old_counts
from app.tests.commands import manage
from app.tests.standby import url_of_tests
from core.routing import migrated_databases
from core.tests.thoroughness import EVERYTHING
from environments.models import Environment
from features.models import Feature
from organisations.models import Organisation
from sdk import usage

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "counts"


@pytest.fixture
def counts(monkeypatch, transactional_db) -> Iterator[None]:
    """A database for counts on the tests' server, migrated so far as counts need it."""

    def connect(self: BaseDatabaseWrapper) -> None:
        if self.connection is None:
            with self.wrap_database_errors:
                self.connect()

    # Tests may use no other database than those that are made before them.
    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", connect)
    name = f"{connection.settings_dict['NAME']}_{NAME}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    connections.databases["analytics"] = {**connections.databases["default"], "NAME": name}
    try:
        call_command("migrate", *([] if EVERYTHING else ["analytics"]), database="analytics", verbosity=0)
        yield
    finally:
        connections["analytics"].close()
        del connections["analytics"], connections.databases["analytics"]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables() -> set[str]:
    with connections["analytics"].cursor() as cursor:
        names = connections["analytics"].introspection.table_names(cursor)
    return {name for name in names if not any(f"_{digit}" in name for digit in "0123456789")}


def test_counts_are_written_read_tidied_and_migrated_there_and_nothing_else(
    counts, environment, feature, sdk_client, admin_client, organisation, monkeypatch
):
    monkeypatch.setattr(usage, "is_on", True)
    assert migrated_databases() == ["default", "analytics"]
    assert {name.partition("_")[0] for name in tables()} == {"analytics", "django"}

    # Without a server's loop each request is written before it is answered.
    assert sdk_client.get("/api/v1/flags/").status_code == 200
    assert sdk_client.post("/api/v1/analytics/flags/", {feature.name: 3}, "json").status_code == 200
    usage_of = admin_client.get(f"/api/v1/organisations/{organisation.pk}/usage-data/").json()
    total = admin_client.get(f"/api/v1/organisations/{organisation.pk}/usage-data/total-count/").json()
    evaluations = admin_client.get(
        f"/api/v1/projects/{environment.project_id}/features/{feature.pk}/evaluation-data/"
        f"?environment_id={environment.pk}"
    ).json()
    delete_old_counts()

    assert [row["flags"] for row in usage_of] == [1]
    assert total["count"] >= 1
    assert [row["count"] for row in evaluations] == [3]
    assert RequestBucket.objects.using("analytics").exists()
    for model in (RequestBucket, FeatureEvaluationBucket, FirstEvaluation, CountsWriter):
        assert not model.objects.using("default").exists(), "what is there stays empty"
        assert router.db_for_write(model) == "analytics"
    assert len(parts_of(RequestBucket)) > 3
    assert {router.db_for_write(each) for each in (Environment, Feature, Organisation)} == {"default"}
    assert not router.allow_relation(environment, RequestBucket.objects.get())

    connections["analytics"].close()
    connections.databases["analytics"].update(HOST="127.0.0.1", PORT=9)  # nobody listens there
    away = admin_client.get(f"/api/v1/organisations/{organisation.pk}/usage-data/")
    assert (away.status_code, away["Retry-After"]) == (503, "1")
    assert sdk_client.get("/api/v1/flags/").status_code == 200


@pytest.mark.skipif(not EVERYTHING, reason="loads all migrations four times; WALKS=full does")
def test_a_command_without_a_database_sees_to_both(counts):
    databases = {
        "DATABASE_URL": url_of_tests(),
        "ANALYTICS_DATABASE_URL": url_of_tests(connections["analytics"].settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "app.settings.local",
    }

    migrated = manage("migrate", "--noinput", **databases)
    waited = manage("waitfordb", "--migrations", "--waitfor", "0", **databases)

    assert migrated.returncode == 0, migrated.stderr
    assert migrated.stdout.count("No migrations to apply") == 2
    assert waited.returncode == 0, waited.stderr
