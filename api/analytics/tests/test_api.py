"""Dashboards read what has been counted: who may, of whom, and of which days."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from analytics.models import FeatureEvaluationBucket, IdentityEvaluationBucket, RequestBucket, Resource
from environments.models import Environment
from features.models import Feature
from organisations.models import Organisation
from permissions.tests.factories import grant
from projects.models import Project

PYTHON = "flagsmith-python-sdk/4.0.0"


@pytest.fixture
def usage(organisation) -> str:
    return f"/api/v1/organisations/{organisation.pk}/usage-data/"


@pytest.fixture
def evaluations(project, feature) -> str:
    return f"/api/v1/projects/{project.pk}/features/{feature.pk}/evaluation-data/"


def days_ago(days: int) -> datetime:
    return (timezone.now() - timedelta(days=days)).replace(hour=23, minute=30, second=0, microsecond=0)


def requested(environment: Environment, count: int, resource: Resource, *, days: int = 0, **labels: str):
    RequestBucket.objects.create(
        environment_id=environment.pk,
        started_at=days_ago(days),
        resource=resource,
        total_count=count,
        **labels,
    )


def evaluated(environment: Environment, name: str, count: int, *, started_at: datetime) -> None:
    FeatureEvaluationBucket.objects.create(
        environment_id=environment.pk, feature_name=name, started_at=started_at, total_count=count
    )


def test_requests_are_told_by_day_and_client(admin_client, usage, project, environment):
    staging = Environment.objects.create(project=project, name="Staging")
    requested(environment, 100, Resource.FLAGS, days=2, user_agent=PYTHON)
    requested(staging, 20, Resource.FLAGS, days=2, user_agent=PYTHON)
    requested(environment, 3, Resource.ENVIRONMENT_DOCUMENT, days=2)
    requested(environment, 4, Resource.TRAITS, days=1, application_name="shop", application_version="1.2")

    response = admin_client.get(usage)

    none = {"flags": 0, "identities": 0, "traits": 0, "environment_document": 0}
    nobody = {"client_application_name": None, "client_application_version": None, "user_agent": None}
    day_before, yesterday = (f"{days_ago(days):%Y-%m-%d}" for days in (2, 1))
    assert response.status_code == 200
    assert response.json() == [
        {**none, "environment_document": 3, "day": day_before, "labels": nobody},
        {**none, "flags": 120, "day": day_before, "labels": {**nobody, "user_agent": PYTHON}},
        {
            **none,
            "traits": 4,
            "day": yesterday,
            "labels": {**nobody, "client_application_name": "shop", "client_application_version": "1.2"},
        },
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 111),
        ({"period": ""}, 111),
        ({"period": "90_day_period"}, 1111),
        ({"user_agent": PYTHON}, 100),
        ({"client_application_name": "shop"}, 10),
        ({"client_application_version": "9"}, 0),
        ({"project_id": 2**31 - 1}, 0),
        ({"environment_id": 2**31 - 1}, 0),
    ],
)
def test_requests_are_chosen_by_the_query(admin_client, usage, environment, query, expected):
    requested(environment, 1000, Resource.FLAGS, days=60)
    requested(environment, 100, Resource.FLAGS, user_agent=PYTHON)
    requested(environment, 10, Resource.FLAGS, application_name="shop")
    requested(environment, 1, Resource.FLAGS, days=3)

    response = admin_client.get(usage, query)

    assert sum(row["flags"] for row in response.json()) == expected


def test_requests_are_chosen_by_project_and_environment(admin_client, usage, organisation, environment):
    other = Environment.objects.create(
        project=Project.objects.create(organisation=organisation, name="Other"), name="Other"
    )
    requested(environment, 1, Resource.FLAGS)
    requested(other, 2, Resource.FLAGS)

    def flags(**query: int) -> int:
        return sum(row["flags"] for row in admin_client.get(usage, query).json())

    assert flags() == 3
    assert flags(project_id=other.project_id) == 2
    assert flags(environment_id=environment.pk) == 1
    assert flags(project_id=other.project_id, environment_id=environment.pk) == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"period": "current_billing_period"}, 404),
        ({"period": "previous_billing_period"}, 404),
        ({"period": "a_year"}, 400),
        ({"project_id": "x"}, 400),
        ({"environment_id": 2**31}, 400),
    ],
)
def test_what_there_is_no_answer_to_is_refused(admin_client, usage, query, status):
    assert admin_client.get(usage, query).status_code == status


def test_the_total_is_of_thirty_days(admin_client, usage, project, environment):
    gone = Environment.objects.create(project=project, name="Gone")
    requested(environment, 1, Resource.FLAGS)
    requested(environment, 2, Resource.TRAITS, days=29)
    requested(environment, 4, Resource.FLAGS, days=40)
    requested(gone, 8, Resource.FLAGS)
    gone.delete()

    response = admin_client.get(f"{usage}total-count/")

    assert response.json() == {"count": 11}


@pytest.mark.parametrize("path", ["", "total-count/"])
def test_usage_is_for_administrators_of_the_organisation(client_of, usage, member, stranger, path):
    assert client_of(member).get(f"{usage}{path}").status_code == 403
    assert client_of(stranger).get(f"{usage}{path}").status_code == 403


def test_nothing_of_another_organisation_is_told(admin_client, usage, environment):
    project = Project.objects.create(organisation=Organisation.objects.create(name="Other"), name="Other")
    other = Environment.objects.create(project=project, name="Other")
    requested(other, 5, Resource.FLAGS)

    answers = [admin_client.get(usage, query) for query in ({}, {"environment_id": other.pk})]

    assert [answer.json() for answer in answers] == [[], []]
    assert admin_client.get(f"{usage}total-count/").json() == {"count": 0}


def test_evaluations_are_told_by_day(admin_client, evaluations, environment, feature):
    yesterday = days_ago(1)
    evaluated(environment, feature.name, 40, started_at=yesterday)
    evaluated(environment, feature.name, 2, started_at=yesterday - timedelta(hours=1))
    evaluated(environment, feature.name, 1, started_at=days_ago(4))
    evaluated(environment, feature.name, 5, started_at=days_ago(40))
    evaluated(environment, "another", 7, started_at=yesterday)

    month = admin_client.get(evaluations, {"environment_id": environment.pk}).json()
    two_days = admin_client.get(evaluations, {"environment_id": environment.pk, "period": 2}).json()

    assert month == [
        {"day": f"{days_ago(4):%Y-%m-%d}", "count": 1, "labels": None},
        {"day": f"{yesterday:%Y-%m-%d}", "count": 42, "labels": None},
    ]
    assert two_days == month[1:]


def test_evaluations_are_of_an_environment_and_a_feature_of_the_project(
    client_of, admin_client, stranger, evaluations, project, environment, feature
):
    foreign = Project.objects.create(organisation=Organisation.objects.create(name="Other"), name="Other")
    elsewhere = Environment.objects.create(project=foreign, name="Other")
    not_ours = Feature.objects.create(project=foreign, name="other")
    query = {"environment_id": environment.pk}

    assert client_of(stranger).get(evaluations, query).status_code == 404
    assert admin_client.get(evaluations, {"environment_id": elsewhere.pk}).status_code == 400
    assert admin_client.get(evaluations).json() == {"environment_id": ["This field is required."]}
    other_path = evaluations.replace(f"/{feature.pk}/", f"/{not_ours.pk}/")
    assert admin_client.get(other_path, query).status_code == 404


def test_no_evaluation_has_a_label_that_is_asked_for(admin_client, evaluations, environment, feature):
    evaluated(environment, feature.name, 1, started_at=days_ago(1))

    for label in ("user_agent", "client_application_name", "client_application_version"):
        assert admin_client.get(evaluations, {"environment_id": environment.pk, label: "x"}).json() == []


def test_requests_are_told_by_the_hour(admin_client, usage, environment):
    at = days_ago(2)
    requested(environment, 100, Resource.FLAGS, days=2, user_agent=PYTHON)
    for minutes, count in ((-15, 20), (30, 3)):
        RequestBucket.objects.create(
            environment_id=environment.pk,
            started_at=at + timedelta(minutes=minutes),
            resource=Resource.FLAGS,
            user_agent=PYTHON,
            total_count=count,
        )

    rows = admin_client.get(usage, {"step": "hour", "period": "7_day_period"}).json()
    today = admin_client.get(usage, {"step": "hour", "period": "1_day_period"}).json()
    too_long = admin_client.get(usage, {"step": "hour", "period": "90_day_period"})

    midnight = at + timedelta(minutes=30)
    assert [(row["day"], row["hour"], row["flags"]) for row in rows] == [
        (f"{at:%Y-%m-%d}", f"{at:%Y-%m-%d}T23:00:00Z", 120),
        (f"{midnight:%Y-%m-%d}", f"{midnight:%Y-%m-%d}T00:00:00Z", 3),
    ]
    assert rows[0]["labels"]["user_agent"] == PYTHON
    assert today == []
    assert too_long.json() == {"step": ["Hours are told for 31 days at most."]}


def test_evaluations_are_told_by_the_hour_for_an_identity_and_by_what_was_found(
    admin_client, member, client_of, evaluations, project, environment, feature
):
    at = days_ago(1)
    evaluated(environment, feature.name, 1, started_at=at - timedelta(minutes=15))
    evaluated(environment, feature.name, 2, started_at=at - timedelta(hours=1))
    for identifier, enabled, count in (("kim", True, 10), ("kim", False, 20), ("alex", True, 40)):
        IdentityEvaluationBucket.objects.create(
            environment_id=environment.pk,
            feature_name=feature.name,
            identity_identifier=identifier,
            enabled_when_evaluated=enabled,
            started_at=at,
            total_count=count,
        )
    grant(member, project, "VIEW_PROJECT")

    def counts(**query: object) -> list[tuple[str | None, int]]:
        rows = admin_client.get(evaluations, {"environment_id": environment.pk, **query}).json()
        return [(row.get("hour"), row["count"]) for row in rows]

    hour = f"{at:%Y-%m-%d}T%02d:00:00Z"
    assert counts(step="hour") == [(hour % 22, 2), (hour % 23, 1)]
    assert counts(enabled_when_evaluated="true") == [(None, 50)]
    assert counts(identity_identifier="kim", step="hour") == [(hour % 23, 30)]
    assert counts(identity_identifier="kim", enabled_when_evaluated="false") == [(None, 20)]
    assert counts(identity_identifier="nobody") == []
    query = {"environment_id": environment.pk, "identity_identifier": "kim"}
    assert client_of(member).get(evaluations, {"environment_id": environment.pk}).status_code == 200
    assert client_of(member).get(evaluations, query).status_code == 403


def test_older_clients_read_evaluations_in_steps_of_hours_or_days(
    admin_client, client_of, stranger, evaluations, environment, feature
):
    path = evaluations.replace("evaluation-data", "influx-data")
    day = datetime.combine(days_ago(2).date(), datetime.min.time(), UTC)
    for hours, number in ((1, 1), (2, 2), (13, 4)):
        evaluated(environment, feature.name, number, started_at=day + timedelta(hours=hours))
    query = {"environment_id": environment.pk, "period": "7d"}

    daily = admin_client.get(path, query).json()
    by_halves = admin_client.get(path, {**query, "aggregate_every": "12h"}).json()
    of_today = admin_client.get(path, {"environment_id": environment.pk}).json()
    wrong = admin_client.get(path, {**query, "period": "7w"})

    assert daily == {"events_list": [{"datetime": f"{day:%Y-%m-%dT%H:%M:%SZ}", feature.name: 7}]}
    assert [each[feature.name] for each in by_halves["events_list"]] == [3, 4]
    assert of_today == {"events_list": []}
    assert (wrong.status_code, list(wrong.json())) == (400, ["period"])
    assert client_of(stranger).get(path, query).status_code == 404


def test_a_day_ends_at_midnight_in_utc(admin_client, evaluations, environment, feature, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    midnight = datetime.combine(timezone.now().date() - timedelta(days=3), datetime.min.time(), UTC)
    evaluated(environment, feature.name, 1, started_at=midnight - timedelta(minutes=15))
    evaluated(environment, feature.name, 2, started_at=midnight)

    found = admin_client.get(evaluations, {"environment_id": environment.pk}).json()

    assert [(row["day"], row["count"]) for row in found] == [
        (f"{midnight - timedelta(days=1):%Y-%m-%d}", 1),
        (f"{midnight:%Y-%m-%d}", 2),
    ]


def test_older_clients_read_the_same_numbers(admin_client, organisation, project, environment):
    staging = Environment.objects.create(project=project, name="Staging")
    requested(environment, 100, Resource.FLAGS, days=2, user_agent=PYTHON)
    requested(environment, 20, Resource.FLAGS, days=2)
    requested(staging, 3, Resource.ENVIRONMENT_DOCUMENT, days=1)
    requested(environment, 1000, Resource.FLAGS, days=40)
    path = f"/api/v1/organisations/{organisation.pk}/"

    total = admin_client.get(f"{path}usage/").json()
    days = admin_client.get(f"{path}influx-data/").json()
    narrowed = admin_client.get(f"{path}influx-data/?environment_id={staging.pk}").json()

    none = {"Flags": 0, "Identities": 0, "Traits": 0, "Environment-document": 0}
    day_before, yesterday = (f"{days_ago(number):%Y-%m-%d}" for number in (2, 1))
    assert total == {"events": 123}
    assert days == {
        "events_list": [
            {**none, "name": day_before, "Flags": 120},
            {**none, "name": yesterday, "Environment-document": 3},
        ]
    }
    assert [each["name"] for each in narrowed["events_list"]] == [yesterday]


@pytest.mark.parametrize("rest", ["usage/", "influx-data/"])
def test_older_clients_numbers_are_for_administrators_too(rest, client_of, member, stranger, organisation):
    path = f"/api/v1/organisations/{organisation.pk}/{rest}"

    assert [client_of(user).get(path).status_code for user in (member, stranger)] == [403, 403]
