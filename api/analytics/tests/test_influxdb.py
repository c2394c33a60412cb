"""Counts that are kept in InfluxDB: written without anybody waiting, each once; read in the same shapes."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from analytics import stores
from analytics.buffer import Buffer
from analytics.influxdb import points, server
from analytics.influxdb.server import literal
from analytics.kept import evaluations_stores, requests_store
from analytics.models import FeatureEvaluationBucket, RequestBucket, Resource
from analytics.services import Batch
from analytics.tallies import BUCKET_SECONDS, EvaluationTally, RequestTally
from analytics.tests.influxdb import BUCKET, ORGANISATION, TOKEN, InfluxDB, influxdb_server

pytestmark = pytest.mark.django_db(transaction=True)

PYTHON = "flagsmith-python-sdk/4.0.0\tmy shop, eu=1\t1.2"
NOBODY = "\t\t"


@pytest.fixture
def influxdb(settings):
    with influxdb_server() as running:
        settings.INFLUXDB_URL, settings.INFLUXDB_TOKEN = running.url, TOKEN
        settings.INFLUXDB_ORG, settings.INFLUXDB_BUCKET = ORGANISATION, BUCKET
        settings.COUNTS_ARE_IN_INFLUXDB = True
        settings.FLAGSMITH_DOMAIN = "flags.example.org"
        yield running


def run(*buffers: Buffer) -> None:
    """Run buffers once, so that they write what they have."""

    async def once() -> None:
        for each in buffers:
            async with each.running():
                pass

    asyncio.run(once())


def escaped(text: str) -> str:
    return text.replace(" ", "\\ ")


def quarters_ago(number: int) -> float:
    return timezone.now().timestamp() // BUCKET_SECONDS - number


def put(influxdb: InfluxDB, counts: list, of=points.of_requests, bucket: str = BUCKET) -> None:
    influxdb.points.setdefault(bucket, {})
    influxdb.write(bucket, "\n".join(of(counts, Batch(uuid4(), 1))))


def test_counts_of_all_processes_arrive_once_with_flagsmiths_tags(influxdb, environment, feature):
    requests, others = RequestTally(), RequestTally()
    requests.add(environment.pk, Resource.FLAGS, PYTHON)
    requests.add(environment.pk, Resource.FLAGS, PYTHON)
    others.add(environment.pk, Resource.FLAGS, PYTHON)
    others.add(environment.pk, Resource.ENVIRONMENT_DOCUMENT, NOBODY)
    evaluations = [EvaluationTally() for _ in evaluations_stores()]
    for tally in evaluations:
        tally.add(environment.pk, feature.name, 3)
        tally.add_for_identity(environment.pk, feature.name, "kim", True, 4)

    run(
        Buffer(requests, requests_store(), seconds=3600),
        Buffer(others, requests_store(), seconds=3600),
        *map(partial(Buffer, seconds=3600), evaluations, evaluations_stores()),
    )

    project, organisation = environment.project, environment.project.organisation
    known = ",".join(
        [
            f"environment={escaped(environment.name)},environment_id={environment.pk},host=flags.example.org",
            f"organisation={escaped(organisation.name)},organisation_id={organisation.pk}",
            f"project={escaped(project.name)},project_id={project.pk}",
        ]
    )
    assert influxdb.counts() == {
        r"api_call,client_application_name=my\ shop\,\ eu\=1,client_application_version=1.2,"
        rf"{known},resource=flags,user_agent=flagsmith-python-sdk/4.0.0": 3,
        f"api_call,{known},resource=environment-document": 1,
        f"feature_evaluation,environment_id={environment.pk},feature_id={feature.name}": 7,
    }
    # What is stale is found in PostgreSQL, so evaluations are there as well; requests are not.
    assert list(FeatureEvaluationBucket.objects.values_list("total_count", flat=True)) == [7]
    assert not RequestBucket.objects.exists()


def test_what_is_written_again_counts_once_and_what_cannot_be_written_is_bounded(influxdb, monkeypatch):
    monkeypatch.setattr("analytics.buffer._LAST_RETRY_SECONDS", 0.001)
    writes, write = [], server.write

    def lost(lines: list[str]) -> None:
        write(lines)
        writes.append(lines)
        if len(writes) < 3:
            raise stores.StoreAway("The answer got lost.")

    monkeypatch.setattr("analytics.influxdb.server.write", lost)
    tally = RequestTally(most=2)
    buffer = Buffer(tally, requests_store(), seconds=3600)
    for environment_id in (7, 7, 8, 9):
        tally.add(environment_id, Resource.FLAGS, NOBODY)

    run(buffer)

    assert len(writes) == 3
    assert sum(influxdb.counts().values()) == 3
    assert buffer.state() == {"waiting": 0, "dropped": 1, "failed_writes": 2}


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([401, 404, 429, 503], {"waiting": 0, "dropped": 0, "failed_writes": 4}),
        ([400], {"waiting": 0, "dropped": 5, "failed_writes": 0}),
    ],
)
def test_only_what_influxdb_will_never_take_is_dropped(influxdb, monkeypatch, answers, state):
    monkeypatch.setattr("analytics.buffer._LAST_RETRY_SECONDS", 0.001)
    influxdb.answers = answers
    tally = EvaluationTally()
    tally.add(7, "checkout", 5)
    _, in_influxdb = evaluations_stores()
    buffer = Buffer(tally, in_influxdb, seconds=3600)

    run(buffer)

    assert buffer.state() == state
    assert sum(influxdb.counts().values()) == 5 - state["dropped"]


def test_a_server_that_is_away_holds_up_no_request_and_what_waits_is_written_later(
    influxdb, settings, caplog
):
    where, settings.INFLUXDB_URL = settings.INFLUXDB_URL, "http://127.0.0.1:9"
    tally = RequestTally()
    buffer = Buffer(tally, requests_store(), seconds=0.01)

    async def go_on() -> None:
        async with buffer.running():
            buffer.from_thread(tally.add, 7, Resource.FLAGS, NOBODY)
            while not buffer.state()["failed_writes"]:
                await asyncio.sleep(0.005)
            settings.INFLUXDB_URL = where

    asyncio.run(asyncio.wait_for(go_on(), 10))

    assert sum(influxdb.counts().values()) == 1
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_where_no_loop_runs_a_thread_writes_what_a_request_has_counted(influxdb):
    tally = RequestTally()
    buffer = Buffer(tally, requests_store(), seconds=3600)

    buffer.from_thread(tally.add, 7, Resource.FLAGS, NOBODY)

    stores._writer().submit(int).result(10)
    assert sum(influxdb.counts().values()) == 1


@pytest.mark.parametrize("name", ['a"b', "a\\", "a,b=c d", "${x}", "Größe", "a\nb", "x) or true"])
def test_odd_names_are_written_and_found(influxdb, admin_client, environment, feature, name):
    feature.name = name
    feature.save(update_fields=["name"])
    put(influxdb, [((environment.pk, quarters_ago(0), name, None, None), 5)], points.of_evaluations)
    put(influxdb, [((environment.pk, quarters_ago(0), "other", None, None), 7)], points.of_evaluations)

    response = admin_client.get(
        f"/api/v1/projects/{environment.project_id}/features/{feature.pk}/evaluation-data/",
        {"environment_id": environment.pk},
    )

    assert [row["count"] for row in response.json()] == [5]


def test_text_is_quoted_so_that_it_ends_nowhere_else():
    assert literal('a"${b}\\ü') == r'"a\x22\x24\x7bb\x7d\x5c\xc3\xbc"'


def test_usage_is_read_from_influxdb_in_the_same_shapes(influxdb, admin_client, environment, feature):
    organisation_id = environment.project.organisation_id
    path = f"/api/v1/organisations/{organisation_id}/"
    two_days, stranger = quarters_ago(192), environment.pk + 1000
    put(
        influxdb,
        [
            ((environment.pk, quarters_ago(0), Resource.FLAGS, PYTHON), 5),
            ((environment.pk, two_days, Resource.FLAGS, NOBODY), 7),
            ((environment.pk, two_days, Resource.IDENTITIES, NOBODY), 2),
            ((stranger, two_days, Resource.FLAGS, NOBODY), 100),
            ((environment.pk, quarters_ago(96 * 40), Resource.FLAGS, NOBODY), 1000),
        ],
    )
    put(influxdb, [((environment.pk, two_days, feature.name, None, None), 3)], points.of_evaluations)

    usage = admin_client.get(f"{path}usage-data/").json()
    of_one_client = admin_client.get(
        f"{path}usage-data/", {"client_application_name": "my shop, eu=1"}
    ).json()
    hours = admin_client.get(f"{path}usage-data/", {"step": "hour", "period": "7_day_period"}).json()
    total = admin_client.get(f"{path}usage-data/total-count/").json()
    older = admin_client.get(f"{path}influx-data/").json()
    feature_path = f"/api/v1/projects/{environment.project_id}/features/{feature.pk}/"
    evaluated = admin_client.get(f"{feature_path}evaluation-data/", {"environment_id": environment.pk}).json()
    events = admin_client.get(
        f"{feature_path}influx-data/",
        {"environment_id": environment.pk, "period": "7d", "aggregate_every": "24h"},
    ).json()
    status = admin_client.get(f"/api/v1/environments/{environment.api_key}/onboarding-status/").json()

    then = datetime.fromtimestamp(two_days * BUCKET_SECONDS, UTC)
    today = timezone.now().date().isoformat()
    nobody = {"client_application_name": None, "client_application_version": None, "user_agent": None}
    shop = {
        "client_application_name": "my shop, eu=1",
        "client_application_version": "1.2",
        "user_agent": "flagsmith-python-sdk/4.0.0",
    }
    none = {"flags": 0, "identities": 0, "traits": 0, "environment_document": 0}
    earlier = {**none, "flags": 7, "identities": 2, "day": then.date().isoformat(), "labels": nobody}
    now = {**none, "flags": 5, "day": today, "labels": shop}
    assert usage == [earlier, now]
    assert of_one_client == [now]
    assert (hours[0]["flags"], hours[0]["hour"]) == (7, f"{then:%Y-%m-%dT%H}:00:00Z")
    assert total == {"count": 14}
    assert [(day["name"], day["Flags"]) for day in older["events_list"]] == [
        (then.date().isoformat(), 7),
        (today, 5),
    ]
    assert evaluated == [{"day": then.date().isoformat(), "count": 3, "labels": None}]
    assert [event[feature.name] for event in events["events_list"]] == [3]
    assert status["first_evaluated_sdk_label"] == "unknown"


def test_sums_that_flagsmiths_tasks_have_made_are_read_where_there_are_some(
    influxdb, admin_client, environment
):
    path = f"/api/v1/organisations/{environment.project.organisation_id}/usage-data/"
    for number, bucket in enumerate((BUCKET, f"{BUCKET}_downsampled_15m", f"{BUCKET}_downsampled_1h"), 1):
        key = environment.pk, quarters_ago(1), Resource.FLAGS, NOBODY
        put(influxdb, [(key, number)], bucket=bucket)

    last_month = admin_client.get(path).json()
    last_week = admin_client.get(path, {"period": "7_day_period"}).json()

    assert ([row["flags"] for row in last_week], [row["flags"] for row in last_month]) == ([2], [3])


def test_counts_that_cannot_be_read_are_a_503(influxdb, admin_client, environment, settings):
    settings.INFLUXDB_TOKEN = "wrong"
    path = f"/api/v1/organisations/{environment.project.organisation_id}/usage-data/"

    refused = admin_client.get(path)
    settings.INFLUXDB_URL = "http://127.0.0.1:9"
    away = admin_client.get(path)

    assert [(each.status_code, each.json()["code"]) for each in (refused, away)] == [
        (503, "counts_unavailable")
    ] * 2
    assert away["Retry-After"] == "5"


def test_half_of_the_settings_is_told_of(settings):
    settings.INFLUXDB_TOKEN, settings.INFLUXDB_URL = TOKEN, "http://influxdb:8086"

    (warning,) = [each for each in run_checks() if each.id == "analytics.W001"]
    assert "INFLUXDB_ORG, INFLUXDB_BUCKET" in warning.msg
    settings.USE_POSTGRES_FOR_ANALYTICS = True
    assert [each for each in run_checks() if each.id == "analytics.W001"] == []


def test_points_of_a_bucket_lie_within_it():
    lines = points.of_evaluations([((7, 100.0, "a", None, None), 1)], Batch(uuid4(), 1))

    moment = int(lines[0].rpartition(" ")[2])
    assert 0 <= moment - 100 * BUCKET_SECONDS * 10**9 < timedelta(minutes=15).total_seconds() * 10**9
