"""Connections with other services, over HTTP: every kind at every level."""

import pytest
from django.db import connection

from audit.models import RowChange
from environments.models import Environment
from environments.models.revisions import EnvironmentRevision
from integrations.kinds import KINDS, Kind
from integrations.models import Integration
from integrations.tests.examples import configuration
from permissions.catalogue import Level
from permissions.tests.factories import grant

KINDS_AND_LEVELS = [(kind, level) for kind in KINDS.values() for level in kind.levels]


@pytest.fixture
def url(organisation, project, environment):
    """Return where a kind's integrations of one place are: `url(KINDS["slack"], Level.ENVIRONMENT)`."""
    places = {
        Level.ORGANISATION: f"organisations/{organisation.pk}",
        Level.PROJECT: f"projects/{project.pk}",
        Level.ENVIRONMENT: f"environments/{environment.api_key}",
    }
    return lambda kind, level, rest="": f"/api/v1/{places[level]}/integrations/{kind.name}/{rest}"


def ids(value: object) -> str:
    return value.name if isinstance(value, Kind | Level) else ""


@pytest.mark.parametrize(("kind", "level"), KINDS_AND_LEVELS, ids=ids)
def test_is_made_once_shown_changed_and_deleted_and_made_again(admin_client, environment, url, kind, level):
    body = configuration(kind)
    made = admin_client.post(url(kind, level), body)
    one = url(kind, level, f"{made.json()['id']}/")
    again = admin_client.post(url(kind, level), body)
    read = admin_client.get(one)
    listed = admin_client.get(url(kind, level))
    changed_field, same = next((name, value) for name, value in body.items() if isinstance(value, str))
    patched = admin_client.patch(one, {changed_field: same})
    put = admin_client.put(one, body)
    deleted = admin_client.delete(one)
    gone = [admin_client.get(one).status_code, admin_client.get(url(kind, level)).json()]
    once_more = admin_client.post(url(kind, level), body)

    shown = {name: value for name, value in body.items() if name != "api_token"}
    if kind.shows_environment:
        shown["environment"] = environment.pk
    assert (made.status_code, made.json()) == (201, {"id": made.json()["id"], **shown})
    assert (again.status_code, again.json()) == (
        400,
        [f"This integration already exists for this {level.value}."],
    )
    assert listed.json() == [made.json()]
    assert read.json() == patched.json() == put.json() == made.json()
    assert (deleted.status_code, gone) == (204, [404, []])
    assert once_more.status_code == 201
    assert once_more.json()["id"] != made.json()["id"]


@pytest.mark.parametrize(
    ("kind", "sent", "shown"),
    [
        ("amplitude", {"api_key": "k"}, {"base_url": "https://api2.amplitude.com"}),
        ("segment", {"api_key": "k"}, {"base_url": "https://api.segment.io/"}),
        ("heap", {"api_key": "k"}, {"base_url": None}),
        ("mixpanel", {"api_key": "k", "base_url": None}, {"base_url": None}),
        ("webhook", {"url": "https://93.184.215.14/"}, {"secret": ""}),
        ("slack", {"channel_id": "C1"}, {"enabled": True}),
    ],
)
def test_what_nobody_says_has_a_usual_value(admin_client, url, kind, sent, shown):
    answer = admin_client.post(url(KINDS[kind], Level.ENVIRONMENT), sent, format="json")

    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], **sent, **shown}


@pytest.mark.parametrize(
    ("kind", "level", "wrong"),
    [
        ("segment", Level.ENVIRONMENT, {"base_url": "https://api.example.org/"}),
        ("sentry", Level.ENVIRONMENT, {"secret": "too short"}),
        ("sentry", Level.ENVIRONMENT, {"secret": "x" * 61}),
        ("dynatrace", Level.ENVIRONMENT, {"entity_selector": "x" * 1001}),
        ("slack", Level.ENVIRONMENT, {"channel_id": "x" * 51}),
        ("webhook", Level.ENVIRONMENT, {"url": "http://127.0.0.1/"}),
        ("rudderstack", Level.ENVIRONMENT, {"base_url": "http://169.254.169.254/"}),
        ("datadog", Level.PROJECT, {"base_url": "http://10.0.0.1/"}),
        ("datadog", Level.PROJECT, {"base_url": None}),
        ("new-relic", Level.PROJECT, {"app_id": "x" * 101}),
        ("grafana", Level.ORGANISATION, {"base_url": "grafana"}),
        ("heap", Level.ENVIRONMENT, {"api_key": "x" * 101}),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_kept(admin_client, url, kind, level, wrong):
    body = {**configuration(KINDS[kind]), **wrong}

    answer = admin_client.post(url(KINDS[kind], level), body, format="json")

    assert answer.status_code == 400
    assert answer.json().keys() == wrong.keys()
    assert not Integration.all_objects.exists()


def test_who_sees_the_place_reads_and_who_administers_it_writes(client_of, member, environment, project, url):
    kind, client = KINDS["grafana"], client_of(member)
    grant(member, project, "VIEW_PROJECT")
    grant(member, environment, "VIEW_ENVIRONMENT")

    read = {level.name: client.get(url(kind, level)).status_code for level in kind.levels}
    written = {
        level.name: client.post(url(kind, level), configuration(kind)).status_code for level in kind.levels
    }

    assert read == {"ENVIRONMENT": 200, "PROJECT": 200, "ORGANISATION": 403}
    assert set(written.values()) == {403}


def test_one_of_another_environment_or_another_kind_is_not_found(admin_client, project, environment, url):
    other = Environment.objects.create(project=project, name="Staging")
    elsewhere = Integration.objects.create(kind="heap", environment=other, secrets={"api_key": "k"})
    of_other_kind = Integration.objects.create(kind="mixpanel", environment=environment)

    answers = [
        admin_client.get(url(KINDS["heap"], Level.ENVIRONMENT, f"{each.pk}/"))
        for each in (elsewhere, of_other_kind)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_keys_and_addresses_are_encrypted_and_no_history_has_them(admin_client, url):
    body = {"base_url": "https://93.184.215.14/hidden/", "api_key": "a key nobody sees", "app_id": "17"}
    made = admin_client.post(url(KINDS["new-relic"], Level.PROJECT), body)
    one = url(KINDS["new-relic"], Level.PROJECT, f"{made.json()['id']}/")
    admin_client.patch(one, {"api_key": "another key nobody sees", "app_id": "18"})
    admin_client.delete(one)

    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM integrations_integration")
        ((stored,),) = cursor.fetchall()
    changes = RowChange.objects.filter(table_name="integrations_integration").order_by("id")

    assert "nobody" not in stored
    assert Integration.all_objects.get().secrets == {}
    assert not any("nobody" in str(each) or "hidden" in str(each) for each in changes.values())
    assert [(each.operation, each.name, each.concealed) for each in changes][:2] == [
        ("INSERT", "new-relic", ["secrets"]),
        ("UPDATE", "new-relic", ["secrets"]),
    ]
    assert changes[1].after == {"settings": {"app_id": "18"}}
    assert {each.project_id for each in changes} == {Integration.all_objects.get().project_id}


@pytest.mark.django_db(transaction=True)
def test_a_change_drops_what_is_cached_of_the_environment(admin_client, environment, url):
    def revision() -> int:
        return EnvironmentRevision.objects.get(environment_id=environment.pk).revision

    revisions = [revision()]
    made = admin_client.post(url(KINDS["heap"], Level.ENVIRONMENT), {"api_key": "k"})
    revisions.append(revision())
    one = url(KINDS["heap"], Level.ENVIRONMENT, f"{made.json()['id']}/")
    admin_client.patch(one, {"api_key": "l"})
    revisions.append(revision())
    admin_client.delete(one)
    revisions.append(revision())

    assert revisions == sorted(set(revisions))


def test_what_a_deleted_environment_was_connected_with_is_gone_too(environment):
    integration = Integration.objects.create(kind="heap", environment=environment)

    environment.delete()

    assert not Integration.objects.filter(pk=integration.pk).exists()
