"""`environment-document/`: what SDKs and proxies poll. What is in it is tested in `documents`."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.http import http_date

from documents.builder import build
from documents.rows import read_rows
from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from environments.models import Environment, EnvironmentRevision
from features.models import FeatureState

URL = "/api/v1/environment-document/"


def change(environment: Environment) -> None:
    state = FeatureState.objects.get(environment=environment)
    FeatureState.objects.filter(pk=state.pk).update(enabled=not state.enabled)


def age(environment: Environment, **ago: float) -> datetime:
    """Let the last change have been some time ago; return when."""
    changed_at = (timezone.now() - timedelta(**ago)).replace(microsecond=250_000)
    EnvironmentRevision.objects.filter(environment_id=environment.pk).update(
        updated_at=changed_at, previous_updated_at=changed_at - timedelta(days=1)
    )
    return changed_at


def poll(client, seen_at: datetime):
    return client.get(URL, headers={"If-Modified-Since": http_date(seen_at.timestamp())})


def test_the_whole_document_is_served(project, environment, server_sdk_client):
    feature = make_feature(project, variants={"a": ("A", 30)}, is_server_key_only=True)
    override_for_segment(feature, environment, make_segment(project))
    override_for_identity(feature, environment, "kim", weights={"a": 100})
    Environment.objects.update(hide_disabled_flags=True, hide_sensitive_data=True)

    response = server_sdk_client.get(URL)

    assert response.status_code == 200
    assert response.json() == build(read_rows(environment.pk)).document
    assert len(response.json()["feature_states"]) == 1


@pytest.mark.django_db(transaction=True)
def test_header_document_and_date_are_of_one_instant(environment, feature, server_sdk_client):
    response = server_sdk_client.get(URL)

    written = datetime.fromisoformat(response.json()["updated_at"])
    assert written == EnvironmentRevision.objects.get(environment_id=environment.pk).updated_at
    assert response["x-flagsmith-document-updated-at"] == str(written.timestamp())
    assert response["Last-Modified"] == http_date(int(written.timestamp()))
    assert "X-Environment-Key" in response["Vary"]


@pytest.mark.django_db(transaction=True)
def test_what_has_not_changed_is_304_without_a_body(environment, feature, server_sdk_client):
    changed_at = age(environment, seconds=10)

    response = poll(server_sdk_client, changed_at)

    assert (response.status_code, response.content) == (304, b"")
    assert response["x-flagsmith-document-updated-at"] == str(changed_at.timestamp())
    assert response["Last-Modified"] == http_date(int(changed_at.timestamp()))


@pytest.mark.django_db(transaction=True)
def test_what_has_changed_since_is_sent(environment, feature, server_sdk_client):
    changed_at = age(environment, seconds=10)

    assert poll(server_sdk_client, changed_at - timedelta(seconds=1)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_within_two_seconds_of_a_change_nothing_is_304(environment, feature, server_sdk_client):
    changed_at = age(environment, seconds=0.5)

    assert poll(server_sdk_client, changed_at + timedelta(seconds=60)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_changes_in_one_second_is_not_missed(environment, feature, server_sdk_client):
    second = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    EnvironmentRevision.objects.update(
        updated_at=second + timedelta(seconds=0.7), previous_updated_at=second + timedelta(seconds=0.2)
    )

    # The client fetched between the two: it has the date of the first.
    assert poll(server_sdk_client, second).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_change_remembers_when_the_one_before_it_was(environment, feature):
    changed_at = age(environment, seconds=10)

    change(environment)

    revision = EnvironmentRevision.objects.get(environment_id=environment.pk)
    assert revision.previous_updated_at == changed_at
    assert revision.updated_at > changed_at


@pytest.mark.django_db(transaction=True)
def test_the_first_revision_has_none_before_it(project):
    environment = Environment.objects.create(project=project, name="New")

    revision = EnvironmentRevision.objects.get(environment_id=environment.pk)

    assert (revision.revision, revision.previous_updated_at) == (1, None)


@pytest.mark.parametrize("date", ["yesterday", "", "Sat, 99 Foo 2026 99:99:99 GMT", "\xff", "x" * 1000])
def test_a_date_that_cannot_be_read_counts_as_none(environment, feature, server_sdk_client, date):
    assert server_sdk_client.get(URL, headers={"If-Modified-Since": date}).status_code == 200


def test_nothing_pages(project, environment, server_sdk_client):
    feature = make_feature(project)
    for number in range(120):
        override_for_identity(feature, environment, f"user-{number}")

    response = server_sdk_client.get(URL, {"page_id": "2", "page_size": "10"})

    assert len(response.json()["identity_overrides"]) == 120
    assert "Link" not in response
