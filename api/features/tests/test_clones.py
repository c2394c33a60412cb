"""Copies of environments: they serve what the original serves, and are nobody else's."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.models import AuditRecord
from environments.models import Environment
from features.models import FeatureState
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_option,
    make_segment_override,
)
from identities.models import Identity
from metadata.models import Value
from metadata.tests.factories import make_attachment
from permissions.tests.factories import grant


def url(environment):
    return f"/api/v1/environments/{environment.api_key}/clone/"


def cloned(client, environment, name="Copy"):
    response = client.post(url(environment), {"name": name}, format="json")
    assert response.status_code == 200, response.content
    return Environment.objects.get(pk=response.json()["id"])


def flags_in(environment):
    flags = APIClient(headers={"X-Environment-Key": environment.api_key}).get("/api/v1/flags/").json()
    return {each["feature"]["name"]: (each["enabled"], each["feature_state_value"]) for each in flags}


def flags_of(identifier, environment):
    answer = APIClient(headers={"X-Environment-Key": environment.api_key}).post(
        "/api/v1/identities/", {"identifier": identifier, "transient": True}, format="json"
    )
    return {each["feature"]["name"]: each["feature_state_value"] for each in answer.json()["flags"]}


def shares_of(state):
    """Return the variants of a state with their shares, in the order of the bands."""
    shares = state.multivariate_feature_state_values.order_by("pk")
    return list(shares.values_list("multivariate_feature_option", "percentage_allocation"))


@pytest.fixture
def varied(project, environment):
    """A feature with two variants, whose shares here are not those it started with."""
    feature = make_feature(project, name="varied", initial_value="control")
    options = [make_option(feature, value, 10) for value in ("red", "blue")]
    state = default_state(feature, environment)
    for option, share in zip(options, (40, 30), strict=True):
        state.multivariate_feature_state_values.filter(multivariate_feature_option=option).update(
            percentage_allocation=share
        )
    return feature


def test_answers_with_the_copy(admin_client, environment, project):
    response = admin_client.post(
        url(environment), {"name": "Copy", "clone_feature_states_async": True, "description": "ignored"}
    )

    copy = Environment.objects.get(name="Copy")
    assert response.status_code == 200
    assert response.json() == {
        "id": copy.pk,
        "name": "Copy",
        "api_key": copy.api_key,
        "project": project.pk,
    }
    assert copy.api_key != environment.api_key


def test_the_settings_are_the_same(admin_client, environment):
    settings = {
        "description": "Where it counts",
        "minimum_change_request_approvals": 2,
        "allow_client_traits": False,
        "banner_text": "Careful",
        "banner_colour": "#ff0000",
        "hide_disabled_flags": True,
        "hide_sensitive_data": True,
        "use_identity_composite_key_for_hashing": False,
        "use_identity_overrides_in_local_eval": False,
    }
    Environment.objects.filter(pk=environment.pk).update(**settings)

    copy = cloned(admin_client, environment)

    shown = admin_client.get(f"/api/v1/environments/{copy.api_key}/").json()
    assert {name: shown[name] for name in settings} == settings


def test_custom_fields_come_along(admin_client, environment, organisation):
    attachment = make_attachment(organisation, kind="environment", required_in=organisation)
    Value.objects.create(attachment=attachment, environment=environment, value="BUR-1")

    copy = cloned(admin_client, environment)

    assert copy.metadata.get().value == "BUR-1"


def test_features_are_set_the_same(admin_client, environment, project):
    for value in ("text", 7, True, None):
        feature = make_feature(project, name=f"feature_{value}", initial_value="initially")
        state = default_state(feature, environment)
        state.enabled, state.value = True, value
        state.save()
    make_feature(project, name="untouched", initial_value="initially")

    copy = cloned(admin_client, environment)

    assert flags_in(copy) == flags_in(environment)
    assert flags_in(copy)["feature_7"] == (True, 7)


def test_later_changes_stay_apart(admin_client, environment, feature):
    copy = cloned(admin_client, environment)
    state = default_state(feature, environment)
    state.value = "changed"
    state.save()

    assert flags_in(environment)["new_checkout"][1] == "changed"
    assert flags_in(copy)["new_checkout"][1] == "blue"


def test_segment_overrides_keep_their_order(admin_client, environment, feature, project):
    segments = [project.segments.create(name=name) for name in ("first", "second", "gone")]
    overrides = [
        make_segment_override(feature, environment, segment, segment.name) for segment in reversed(segments)
    ]
    environment.feature_segments.get(feature_states=overrides[0]).delete()

    copy = cloned(admin_client, environment)

    places = copy.feature_segments.order_by("priority")
    assert [(each.segment.name, each.priority) for each in places] == [("second", 1), ("first", 2)]
    assert [each.feature_states.get().value for each in places] == ["second", "first"]


def test_variants_have_the_same_shares_and_seeds(admin_client, environment, varied):
    copy = cloned(admin_client, environment)
    copy_of_copy = cloned(admin_client, copy, "Copy of the copy")

    original = default_state(varied, environment)
    states = [default_state(varied, each) for each in (copy, copy_of_copy)]
    assert [state.seed for state in states] == [original.pk] * 2
    assert [shares_of(state) for state in states] == [shares_of(original)] * 2
    assert [share for _, share in shares_of(original)] == [40, 30]
    people = [f"person {number}" for number in range(40)]
    assert {flags_of(person, copy)["varied"] for person in people} == {"control", "red", "blue"}


def test_variants_in_overrides_come_along(admin_client, environment, varied, project):
    segment = project.segments.create(name="everyone")
    state = make_segment_override(varied, environment, segment, "control")
    option = varied.multivariate_options.first()
    state.multivariate_feature_state_values.create(
        multivariate_feature_option=option, percentage_allocation=55
    )

    copy = cloned(admin_client, environment)

    copied = FeatureState.objects.get(environment=copy, feature_segment__segment=segment)
    assert shares_of(copied) == [(option.pk, 55)]
    assert copied.seed == state.pk


def test_what_is_others_stays_behind(admin_client, environment, feature):
    identity = Identity.objects.create(environment=environment, identifier="kim", traits={"plan": "pro"})
    make_identity_override(feature, identity, "for kim")
    environment.server_side_keys.create(name="servers")

    copy = cloned(admin_client, environment)

    assert not Identity.objects.filter(environment=copy).exists()
    assert not FeatureState.objects.filter(environment=copy, identity__isnull=False).exists()
    assert not copy.server_side_keys.exists()


def test_it_is_audited_as_a_new_environment(admin_client, environment, feature):
    cloned(admin_client, environment)

    assert [each.log for each in AuditRecord.objects.all()] == ["New Environment created: Copy"]


def test_a_name_that_is_taken_is_refused(admin_client, environment):
    response = admin_client.post(url(environment), {"name": environment.name}, format="json")

    assert response.status_code == 400
    assert response.json() == {"non_field_errors": ["An environment with this name already exists."]}
    assert Environment.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 2001}, {"name": ["Copy"]}])
def test_needs_a_name(admin_client, environment, body):
    response = admin_client.post(url(environment), body, format="json")

    assert response.status_code == 400
    assert list(response.json()) == ["name"]


def test_is_for_who_may_create_environments_and_makes_them_its_administrator(
    client_of, member, environment, project
):
    client = client_of(member)
    refused = client.post(url(environment), {"name": "Copy"})
    grant(member, project, "CREATE_ENVIRONMENT")

    copy = cloned(client, environment)

    assert refused.status_code == 403
    granted = client.get(f"/api/v1/environments/{copy.api_key}/my-permissions/").json()
    assert granted["admin"] is True


def test_others_copy_nothing(client_of, stranger, environment):
    client = client_of(stranger)

    foreign = client.post(url(environment), {"name": "Copy"})
    unknown = client.post("/api/v1/environments/unknown/clone/", {"name": "Copy"})

    assert foreign.status_code == unknown.status_code == 403
    assert foreign.json() == unknown.json()
    assert Environment.objects.count() == 1


def test_costs_the_same_for_ten_features_as_for_one(admin_client, environment, project):
    segment = project.segments.create(name="everyone")

    def make():
        feature = make_feature(project)
        make_option(feature, "red", 10)
        make_segment_override(feature, environment, segment, "x")

    make()
    with CaptureQueriesContext(connection) as for_one:
        cloned(admin_client, environment, "One")
    for _ in range(9):
        make()

    with CaptureQueriesContext(connection) as for_ten:
        copy = cloned(admin_client, environment, "Ten")

    assert len(for_ten) == len(for_one)
    assert copy.feature_segments.count() == 10
