"""Environments, their copies and keys, and what is said of whether SDKs have found them."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from analytics.models import RequestBucket, Resource
from environments.models import Environment
from features.models import FeatureState
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_segment_override,
)
from identities.models import Identity
from metadata.tests.factories import make_attachment
from permissions.tests.factories import grant
from segments.models import Segment

ENVIRONMENTS = "/api/v1/environments/"


def path_of(environment, rest=""):
    return f"{ENVIRONMENTS}{environment.api_key}/{rest}"


def test_a_client_chooses_the_key_and_neither_the_project_nor_whether_it_is_being_made(
    admin_client, project, organisation
):
    other = organisation.projects.create(name="Other")
    made = admin_client.post(
        ENVIRONMENTS, {"name": "Mine", "project": project.pk, "api_key": "my-own-key"}, format="json"
    )

    changed = admin_client.put(
        f"{ENVIRONMENTS}my-own-key/",
        {"name": "Mine", "project": other.pk, "is_creating": True},
        format="json",
    )

    assert (made.status_code, made.json()["api_key"], made.json()["is_creating"]) == (
        201,
        "my-own-key",
        False,
    )
    assert (changed.status_code, changed.json()) == (200, made.json())


def test_a_copy_has_values_and_segment_overrides_in_their_order_and_no_identities(
    client_of, member, environment, feature, project
):
    grant(member, project, "CREATE_ENVIRONMENT")
    state = default_state(feature, environment)
    state.enabled, state.value = True, 7
    state.save()
    for name in ("first", "second"):
        segment = Segment.objects.create(project=project, name=name)
        make_segment_override(feature, environment, segment, name)
    kim = Identity.objects.create(environment=environment, identifier="kim", traits={"plan": "pro"})
    make_identity_override(feature, kim, "for kim")
    environment.server_side_keys.create(name="server")
    environment.webhooks.create(url="https://93.184.215.14/")

    answer = client_of(member).post(
        path_of(environment, "clone/"),
        {"name": "Copy", "clone_feature_states_async": True, "description": "ignored"},
        format="json",
    )

    copy = Environment.objects.get(name="Copy")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": copy.pk,
        "name": "Copy",
        "api_key": copy.api_key,
        "project": project.pk,
    }
    detail = client_of(member).get(path_of(copy)).json()  # who makes a copy administers it
    assert (detail["is_creating"], detail["total_segment_overrides"]) == (False, 2)
    assert (default_state(feature, copy).enabled, default_state(feature, copy).value) == (True, 7)
    overrides = copy.feature_segments.order_by("priority")
    assert [each.feature_states.get().value for each in overrides] == ["first", "second"]
    for nothing in (copy.identities, copy.server_side_keys, copy.webhooks):
        assert not nothing.exists()
    assert copy.feature_states.count() == 3
    assert client_of(member).get(path_of(environment)).status_code == 403


def test_deleting_a_trait_touches_this_key_in_this_environment(admin_client, environment, project):
    other = Environment.objects.create(project=project, name="Other")
    for each in (environment, other):
        for name in ("kim", "lee"):
            Identity.objects.create(
                environment=each, identifier=name, traits={"plan": "pro", "plan2": "x", "age": 7}
            )

    deleted = admin_client.post(path_of(environment, "delete-traits/"), {"key": "plan"}, format="json")
    refused = admin_client.post(path_of(environment, "delete-traits/"), {"name": "plan"}, format="json")

    assert (deleted.status_code, deleted.content) == (200, b"")
    assert (refused.status_code, refused.json()["detail"]) == (400, "Couldn't delete trait keys.")
    assert [each.traits for each in environment.identities.all()] == [{"plan2": "x", "age": 7}] * 2
    assert [set(each.traits) for each in other.identities.all()] == [{"plan", "plan2", "age"}] * 2


def test_a_server_side_key_changes_its_name_and_whether_it_works_and_never_its_text(
    admin_client, environment, feature
):
    key = environment.server_side_keys.create(name="server")
    sdk = APIClient(headers={"X-Environment-Key": key.key})
    before = sdk.get("/api/v1/flags/").status_code

    answer = admin_client.patch(
        path_of(environment, f"api-keys/{key.pk}/"),
        {"name": "renamed", "active": False, "key": "ser.chosen"},
        format="json",
    )

    assert (answer.json()["name"], answer.json()["active"], answer.json()["key"]) == (
        "renamed",
        False,
        key.key,
    )
    assert (before, sdk.get("/api/v1/flags/").status_code) == (200, 403)
    assert APIClient(headers={"X-Environment-Key": "ser.chosen"}).get("/api/v1/flags/").status_code == 403


@pytest.mark.parametrize("method", ["put", "patch"])
def test_values_of_custom_fields_that_an_update_leaves_out_are_removed(
    admin_client, environment, organisation, method
):
    fields = [make_attachment(organisation, name, "environment") for name in ("owner", "region")]
    values = [{"model_field": each.pk, "field_value": "x"} for each in fields]
    admin_client.put(path_of(environment), {"name": "Production", "metadata": values}, format="json")

    one = getattr(admin_client, method)(
        path_of(environment), {"name": "Production", "metadata": values[:1]}, format="json"
    )
    none = getattr(admin_client, method)(path_of(environment), {"name": "Production"}, format="json")

    assert [each["model_field"] for each in one.json()["metadata"]] == [fields[0].pk]
    assert none.json()["metadata"] == []


def test_a_list_of_environments_needs_a_project_whoever_asks(
    admin_client, superuser_client, admin, client_of
):
    admin.is_superuser = True
    admin.save()

    answers = [each.get(ENVIRONMENTS) for each in (admin_client, client_of(admin))]

    refusal = ["Invalid or missing value for project parameter."]
    assert [(each.status_code, each.json()) for each in answers] == [(400, refusal)] * 2


def test_whether_sdks_have_found_an_environment_is_told_to_who_knows_its_key(environment):
    anyone, path = APIClient(), path_of(environment, "onboarding-status/")
    before = anyone.get(path)

    wrong = [
        anyone.put(path, body, format="json").status_code
        for body in ({}, {"first_evaluated_sdk_label": "curl"}, {"first_evaluated_sdk_label": None})
    ]
    told = [
        anyone.put(path, {"first_evaluated_sdk_label": label}, format="json")
        for label in ("flagsmith-go-sdk", "unknown")
    ]

    assert before.json() == {"first_evaluated_at": None, "first_evaluated_sdk_label": None}
    assert wrong == [400, 400, 400]
    assert [(each.status_code, each.content) for each in told] == [(204, b"")] * 2
    after = anyone.get(path).json()
    assert after["first_evaluated_sdk_label"] == "flagsmith-go-sdk"
    assert after["first_evaluated_at"] is not None
    unknown = f"{ENVIRONMENTS}unknown/onboarding-status/"
    assert (anyone.get(unknown).status_code, anyone.put(unknown).status_code) == (404, 404)


def test_an_environment_that_this_server_was_asked_for_has_been_found(environment):
    for hour, agent in ((10, "flagsmith-python-sdk/4.0.0"), (9, "")):
        RequestBucket.objects.create(
            environment_id=environment.pk,
            started_at=datetime(2026, 3, 1, hour, tzinfo=UTC),
            resource=Resource.FLAGS,
            user_agent=agent,
            total_count=1,
        )

    earliest = APIClient().get(path_of(environment, "onboarding-status/")).json()
    RequestBucket.objects.filter(user_agent="").delete()
    later = APIClient().get(path_of(environment, "onboarding-status/")).json()

    assert earliest == {"first_evaluated_at": "2026-03-01T09:00:00Z", "first_evaluated_sdk_label": "unknown"}
    assert later["first_evaluated_sdk_label"] == "flagsmith-python-sdk"


def test_a_large_project_is_deleted_in_as_many_statements_as_a_small_one(admin_client, organisation):
    def statements(size):
        project = organisation.projects.create(name=f"Project of {size}")
        environments = [project.environments.create(name=f"e{each}") for each in range(size)]
        segments = [Segment.objects.create(project=project, name=f"s{each}") for each in range(size)]
        for number in range(size):
            feature = make_feature(project, name=f"f{number}")
            make_segment_override(feature, environments[number], segments[number], "x")
            kim = Identity.objects.create(environment=environments[number], identifier="kim")
            make_identity_override(feature, kim, "for kim")
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.delete(f"/api/v1/projects/{project.pk}/").status_code == 204
        assert not FeatureState.objects.filter(feature__project=project).exists()
        return len(queries)

    assert statements(1) == statements(4)


def test_a_project_is_not_moved_to_an_edge_store_that_is_not_there(admin_client, project):
    answer = admin_client.post(f"/api/v1/projects/{project.pk}/migrate-to-edge/")

    assert answer.status_code == 400
    assert answer.json()["detail"] == "Dynamo DB is not enabled for this project"
