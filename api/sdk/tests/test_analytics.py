"""What SDKs count arrives, and what can't be counted does no harm."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from analytics.models import FeatureEvaluationBucket, IdentityEvaluationBucket
from features.models import Feature
from organisations.models import Organisation
from projects.models import Project

V1 = "/api/v1/analytics/flags/"
V2 = "/api/v2/analytics/flags/"
TELEMETRY = {
    "organisations": 1,
    "projects": 2,
    "environments": 3,
    "features": 4,
    "segments": 5,
    "users": 6,
    "debug_enabled": False,
    "env": "production",
}


def totals() -> dict[str, int]:
    return dict(FeatureEvaluationBucket.objects.values_list("feature_name", "total_count"))


@pytest.mark.parametrize("client_fixture", ["sdk_client", "server_sdk_client"])
def test_counts_are_recorded_with_either_key(client_fixture, feature, request):
    client = request.getfixturevalue(client_fixture)

    response = client.post(V1, {"new_checkout": 12})

    # Never 204 or an empty body: the Java SDK would send the counts again, the Android one never forget them.
    assert (response.status_code, response.json()) == (200, {})
    assert totals() == {"new_checkout": 12}


@pytest.mark.parametrize("count", [True, False, None, "3", 1.5, 0, -3, 2**31, 10**4000, [1], {"a": 1}])
def test_what_is_no_count_is_dropped(sdk_client, feature, count):
    response = sdk_client.post(V1, {"new_checkout": count})

    assert (response.status_code, totals()) == (200, {})


def test_what_can_be_counted_is_counted_beside_what_cannot(sdk_client, feature):
    body = {"new_checkout": 2, "unknown": 5, "nul \x00": 1, "half \ud800": 1, "": 1, "x" * 5000: 1}

    response = sdk_client.post(V1, json.dumps(body), content_type="application/json")

    assert (response.status_code, totals()) == (200, {"new_checkout": 2})


@pytest.mark.parametrize("body", [[], [1], "text", 7, None, True])
def test_counts_are_an_object(sdk_client, feature, body):
    response = sdk_client.post(V1, json.dumps(body), content_type="application/json")

    assert response.status_code == 400
    assert response.json() == {"non_field_errors": ["Expected a JSON object."]}


def test_one_and_fifty_counts_take_the_same_statements(sdk_client, project, feature):
    Feature.objects.bulk_create(Feature(project=project, name=f"feature_{number}") for number in range(50))

    with CaptureQueriesContext(connection) as one:
        sdk_client.post(V1, {"new_checkout": 1})
    with CaptureQueriesContext(connection) as fifty:
        sdk_client.post(V1, {f"feature_{number}": 1 for number in range(50)})

    assert len(one) == len(fifty)
    assert len(totals()) == 51


def test_features_are_found_whatever_the_letter_case(sdk_client, feature):
    sdk_client.post(V1, {"New_Checkout": 1, "new_checkout": 2, "NEW_CHECKOUT": 4})
    sdk_client.post(
        V2,
        {"evaluations": [{"feature_name": "NEW_checkout", "enabled_when_evaluated": True, "count": 8}]},
    )

    assert totals() == {"new_checkout": 15}


def test_unknown_deleted_and_foreign_features_are_dropped(sdk_client, project, feature):
    other = Project.objects.create(organisation=Organisation.objects.create(name="Other"), name="Other")
    Feature.objects.create(project=other, name="foreign")
    Feature.objects.create(project=project, name="deleted").delete()

    sdk_client.post(V1, {"foreign": 1, "deleted": 1, "nobody's": 1})

    assert totals() == {}


def test_evaluations_are_recorded_by_identity(sdk_client, feature):
    evaluation = {"feature_name": "new_checkout", "enabled_when_evaluated": True}

    response = sdk_client.post(
        V2,
        {
            "evaluations": [
                {**evaluation, "identity_identifier": "kim", "count": 4},
                {**evaluation, "identity_identifier": None, "count": 2},
                {**evaluation, "count": 1},
                {**evaluation, "count": 0},
                {**evaluation, "feature_name": "unknown", "count": 9},
            ]
        },
    )

    assert (response.status_code, response.content) == (204, b"")
    buckets = IdentityEvaluationBucket.objects.values_list("identity_identifier", "total_count")
    assert dict(buckets) == {"kim": 4, "": 3}
    assert totals() == {"new_checkout": 7}


def test_evaluations_name_each_missing_field(sdk_client, feature):
    good = {"feature_name": "new_checkout", "enabled_when_evaluated": True, "count": 1}

    response = sdk_client.post(V2, {"evaluations": [good, {}]})

    required = ["This field is required."]
    assert response.status_code == 400
    assert response.json() == {
        "evaluations": [{}, {"feature_name": required, "enabled_when_evaluated": required, "count": required}]
    }
    assert totals() == {}


@pytest.mark.parametrize("path", [V1, V2])
def test_a_key_is_needed(client, db, path):
    response = client.post(path, {}, content_type="application/json")

    assert response.status_code == 403
    assert response.json() == {"detail": "Invalid or missing Environment key"}


def test_telemetry_is_accepted_from_anyone_and_dropped(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = APIClient().post("/api/v1/analytics/telemetry/", TELEMETRY)

    assert (response.status_code, response.json()) == (201, TELEMETRY)


def test_telemetry_needs_every_field(db):
    response = APIClient().post("/api/v1/analytics/telemetry/", {})

    assert response.status_code == 400
    assert response.json().keys() == TELEMETRY.keys()
