"""The environment document: all of it, and nothing that isn't served."""

import threading
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone

from documents import rows
from documents.builder import build
from documents.rows import read_rows
from documents.tests.factories import (
    default_state,
    make_feature,
    make_segment,
    override_for_identity,
    override_for_segment,
)
from engine.documents import EnvironmentDocument
from environments.models import Environment, EnvironmentRevision
from features.models import Feature, FeatureSegment, FeatureState, MultivariateFeatureStateValue
from projects.models import Project


def document_of(environment: Environment) -> EnvironmentDocument:
    return build(read_rows(environment.pk)).document


def test_a_whole_document(project, environment):
    feature = make_feature(project, "new_checkout", value="blue", variants={"treatment_a": ("green", 30)})
    secret = make_feature(project, "secret", value="7", enabled=True, is_server_key_only=True)
    segment = make_segment(project, "pro_users")
    segment_state = override_for_segment(feature, environment, segment, value="red")
    identity_state = override_for_identity(feature, environment, "user-17", weights={"treatment_a": 100})
    state, secret_state = (default_state(each, environment) for each in (feature, secret))
    allocation = MultivariateFeatureStateValue.objects.get(feature_state=state)
    pinned = MultivariateFeatureStateValue.objects.get(feature_state=identity_state)
    option = allocation.multivariate_feature_option
    identity = identity_state.identity
    assert identity

    document = document_of(environment)

    shown = {"id": feature.pk, "name": "new_checkout", "type": "MULTIVARIATE"}
    assert document == {
        "id": environment.pk,
        "api_key": environment.api_key,
        "name": "Production",
        "updated_at": environment.created_date.isoformat(),  # nothing is committed yet
        "allow_client_traits": True,
        "hide_sensitive_data": False,
        "hide_disabled_flags": None,
        "use_identity_composite_key_for_hashing": True,
        "use_identity_overrides_in_local_eval": True,
        "project": {
            "id": project.pk,
            "name": "Web shop",
            "hide_disabled_flags": False,
            "enable_realtime_updates": True,
            "server_key_only_feature_ids": [secret.pk],
            "organisation": {
                "id": project.organisation.pk,
                "name": "Acme",
                "feature_analytics": False,
                "stop_serving_flags": False,
                "persist_trait_data": True,
            },
            "segments": [
                {
                    "id": segment.pk,
                    "name": "pro_users",
                    "rules": [
                        {
                            "type": "ALL",
                            "conditions": [],
                            "rules": [
                                {
                                    "type": "ANY",
                                    "conditions": [
                                        {"operator": "EQUAL", "property_": "plan", "value": "pro"}
                                    ],
                                    "rules": [],
                                }
                            ],
                        }
                    ],
                    "feature_states": [
                        {
                            "feature": shown,
                            "enabled": True,
                            "django_id": segment_state.pk,
                            "feature_segment": {"priority": 0},
                            "featurestate_uuid": str(segment_state.uuid),
                            "feature_state_value": "red",
                            "multivariate_feature_state_values": [],
                        }
                    ],
                }
            ],
        },
        "feature_states": [
            {
                "feature": shown,
                "enabled": False,
                "django_id": state.pk,
                "feature_segment": None,
                "featurestate_uuid": str(state.uuid),
                "feature_state_value": "blue",
                "multivariate_feature_state_values": [
                    {
                        "id": allocation.pk,
                        "mv_fs_value_uuid": str(allocation.uuid),
                        "percentage_allocation": 30.0,
                        "multivariate_feature_option": {
                            "id": option.pk,
                            "value": "green",
                            "key": "treatment_a",
                        },
                    }
                ],
            },
            {
                "feature": {"id": secret.pk, "name": "secret", "type": "STANDARD"},
                "enabled": True,
                "django_id": secret_state.pk,
                "feature_segment": None,
                "featurestate_uuid": str(secret_state.uuid),
                "feature_state_value": 7,
                "multivariate_feature_state_values": [],
            },
        ],
        "identity_overrides": [
            {
                "identifier": "user-17",
                "identity_uuid": document["identity_overrides"][0]["identity_uuid"],
                "created_date": identity.created_date.isoformat(),
                "environment_api_key": environment.api_key,
                "composite_key": f"{environment.api_key}_user-17",
                "django_id": identity.pk,
                "dashboard_alias": None,
                "identity_features": [
                    {
                        "feature": shown,
                        "enabled": True,
                        "django_id": identity_state.pk,
                        "feature_segment": None,
                        "featurestate_uuid": str(identity_state.uuid),
                        # Its own value is null; most SDKs read this, not the weights.
                        "feature_state_value": "green",
                        "multivariate_feature_state_values": [
                            {
                                "id": pinned.pk,
                                "mv_fs_value_uuid": str(pinned.uuid),
                                "percentage_allocation": 100.0,
                                "multivariate_feature_option": {
                                    "id": option.pk,
                                    "value": "green",
                                    "key": "treatment_a",
                                },
                            }
                        ],
                    }
                ],
                "identity_traits": [],
            }
        ],
    }


def test_two_builds_of_the_same_are_the_same(project, environment):
    override_for_identity(make_feature(project), environment, "user-17")

    first, second = document_of(environment), document_of(environment)

    assert first == second
    assert uuid.UUID(first["identity_overrides"][0]["identity_uuid"]).version == 5


def test_values_keep_their_types(project, environment):
    for value in ("text", "", "5", "05", "true", None, "5.0"):
        make_feature(project, value=value)

    values = [state["feature_state_value"] for state in document_of(environment)["feature_states"]]

    assert [(type(value), value) for value in values] == [
        (str, "text"),
        (str, ""),
        (int, 5),
        (int, 5),
        (bool, True),
        (type(None), None),
        (str, "5.0"),
    ]


def test_a_condition_without_property_or_value_has_null_and_an_empty_text(project, environment):
    make_segment(project, property=None, operator="PERCENTAGE_SPLIT", value="10")
    make_segment(project, property="plan", operator="IS_SET", value=None)

    segments = document_of(environment)["project"]["segments"]

    conditions = [segment["rules"][0]["rules"][0]["conditions"] for segment in segments]
    assert conditions == [
        [{"operator": "PERCENTAGE_SPLIT", "property_": None, "value": "10"}],
        [{"operator": "IS_SET", "property_": "plan", "value": ""}],
    ]


def test_archived_disabled_and_server_only_features_are_in_it(project, environment):
    make_feature(project, "archived", is_archived=True)
    make_feature(project, "server", is_server_key_only=True)
    Environment.objects.filter(pk=environment.pk).update(hide_disabled_flags=True)

    states = document_of(environment)["feature_states"]

    assert [state["feature"]["name"] for state in states] == ["archived", "server"]


def test_states_that_are_not_live_or_of_elsewhere_are_not_in_it(project, environment):
    feature = make_feature(project, "feature")
    other = Environment.objects.create(project=project, name="Staging")
    segment = make_segment(project)
    override_for_segment(feature, other, segment)
    override_for_identity(feature, other, "kim")
    draft = override_for_segment(feature, environment, segment)
    FeatureState.objects.filter(pk=draft.pk).update(is_live=False)
    unpublished = override_for_identity(feature, environment, "kim")
    FeatureState.objects.filter(pk=unpublished.pk).update(is_live=False)

    document = document_of(environment)

    assert len(document["feature_states"]) == 1
    assert document["project"]["segments"][0]["feature_states"] == []
    assert document["identity_overrides"] == []


def test_an_identity_of_elsewhere_is_never_named(project, environment):
    elsewhere = Environment.objects.create(project=project, name="Staging")
    state = override_for_identity(make_feature(project), elsewhere, "secret identity")
    FeatureState.objects.filter(pk=state.pk).update(environment=environment)

    assert build(read_rows(environment.pk)).identity_overrides == {}


def test_what_is_deleted_is_not_in_it(project, environment):
    kept, gone = make_feature(project, "kept"), make_feature(project, "gone")
    segment, gone_segment = make_segment(project, "kept"), make_segment(project, "gone")
    override_for_segment(kept, environment, gone_segment)
    override_for_segment(gone, environment, segment)
    override_for_identity(gone, environment, "kim")
    unbound = override_for_segment(kept, environment, segment, priority=1)
    gone.delete()
    gone_segment.delete()
    assert unbound.feature_segment
    FeatureSegment.objects.filter(pk=unbound.feature_segment.pk).update(deleted_at=timezone.now())

    document = document_of(environment)

    assert [state["feature"]["name"] for state in document["feature_states"]] == ["kept"]
    assert [segment["name"] for segment in document["project"]["segments"]] == ["kept"]
    assert document["project"]["segments"][0]["feature_states"] == []
    assert document["identity_overrides"] == []


@pytest.mark.parametrize("path", ["", "project", "project.organisation"])
def test_nothing_is_read_of_a_deleted_environment_project_or_organisation(environment, path):
    deleted = environment
    for part in path.split(".") if path else []:
        deleted = getattr(deleted, part)
    type(deleted).objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())

    with pytest.raises(Environment.DoesNotExist):
        read_rows(environment.pk)


def test_a_segment_for_one_feature_is_in_it_where_it_overrides_something(project, environment):
    feature = make_feature(project)
    unused = make_segment(project, "unused", feature=feature)
    used = make_segment(project, "used", feature=feature)
    override_for_segment(feature, environment, used)
    elsewhere = Environment.objects.create(project=project, name="Staging")

    assert [each["name"] for each in document_of(environment)["project"]["segments"]] == ["used"]
    assert document_of(elsewhere)["project"]["segments"] == []
    assert unused.pk


def test_overrides_of_identities_stay_at_home_where_the_environment_says_so(project, environment):
    override_for_identity(make_feature(project), environment, "kim")
    Environment.objects.filter(pk=environment.pk).update(use_identity_overrides_in_local_eval=False)

    built = build(read_rows(environment.pk))

    assert built.document["identity_overrides"] == []
    assert [each["identifier"] for each in built.identity_overrides.values()] == ["kim"]


def test_the_hash_seed_is_the_lineage_and_not_the_row(project, environment):
    feature = make_feature(project)
    state = default_state(feature, environment)
    FeatureState.objects.filter(pk=state.pk).update(hash_seed=4711)

    built = build(read_rows(environment.pk))

    (written,) = built.document["feature_states"]
    assert written["django_id"] == 4711
    assert built.state_ids == {str(state.uuid): state.pk}


def test_an_identity_that_is_not_pinned_to_one_option_keeps_its_own_value(project, environment):
    feature = make_feature(project, variants={"a": ("A", 50), "b": ("B", 50)})
    override_for_identity(feature, environment, "kim", value="own", weights={"a": 40, "b": 60})

    (override,) = document_of(environment)["identity_overrides"]

    assert override["identity_features"][0]["feature_state_value"] == "own"


def fill(project: Project, environment: Environment, number: int) -> None:
    for each in range(number):
        feature = make_feature(project, variants={"a": ("A", 10), "b": ("B", 10)})
        override_for_segment(feature, environment, make_segment(project))
        override_for_identity(feature, environment, f"identity {each}", weights={"a": 100})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [1, 50])
def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    project, environment, number, django_assert_num_queries
):
    fill(project, environment, number)

    with django_assert_num_queries(5):  # three, and the beginning and end of the transaction
        read = read_rows(environment.pk)

    with django_assert_num_queries(0):
        document = build(read).document
    assert len(document["identity_overrides"]) == number


@pytest.mark.django_db(transaction=True)
def test_rows_are_those_of_the_revision_although_someone_writes_meanwhile(environment, feature, monkeypatch):
    read_revision = rows.current_revision
    before = EnvironmentRevision.objects.get(environment_id=environment.pk).revision

    def write_after_reading(environment_id: int) -> rows.Revision | None:
        revision = read_revision(environment_id)
        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        return revision

    def write() -> None:
        FeatureState.objects.filter(environment=environment).update(enabled=True)
        Feature.objects.create(project=feature.project, name="another")
        connection.close()

    monkeypatch.setattr(rows, "current_revision", write_after_reading)
    read = read_rows(environment.pk)

    assert read.revision
    assert read.revision.name.number == before
    assert [
        (state["feature"]["name"], state["enabled"]) for state in build(read).document["feature_states"]
    ] == [("new_checkout", False)]
    assert EnvironmentRevision.objects.get(environment_id=environment.pk).revision > before


@pytest.mark.django_db(transaction=True)
def test_the_document_is_as_old_as_its_revision(environment, feature):
    revision = EnvironmentRevision.objects.get(environment_id=environment.pk)

    document = document_of(environment)

    assert datetime.fromisoformat(document["updated_at"]) == revision.updated_at
    assert revision.updated_at.tzinfo == UTC
