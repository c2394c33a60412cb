"""An environment in figures."""

import pytest

from environments.models import Environment
from features.tests.factories import (
    make_feature,
    make_identity_override,
    make_segment_override,
)
from identities.models import Identity
from permissions.tests.factories import grant


def url(environment):
    return f"/api/v1/environments/{environment.api_key}/metrics/"


def figures(client, environment):
    response = client.get(url(environment))
    assert response.status_code == 200
    return {each["name"]: each["value"] for each in response.json()["metrics"]}


def test_counts_what_is_served(admin_client, environment, project):
    identity = Identity.objects.create(environment=environment, identifier="kim")
    segment = project.segments.create(name="everyone")
    Environment.objects.create(project=project, name="Elsewhere")
    features = [make_feature(project, default_enabled=number < 2) for number in range(4)]
    for feature in features[:3]:
        make_segment_override(feature, environment, segment, "x")
    for feature in features[2:]:
        make_identity_override(feature, identity, "x")
    features[3].is_archived = True
    features[3].save()

    counted = figures(admin_client, environment)

    assert counted == {
        "total_features": 3,
        "enabled_features": 2,
        "segment_overrides": 3,
        "identity_overrides": 1,
    }


def test_what_is_deleted_does_not_count(admin_client, environment, project):
    feature, gone = make_feature(project), make_feature(project)
    segment = project.segments.create(name="everyone")
    make_segment_override(feature, environment, segment, "x")
    make_segment_override(gone, environment, project.segments.create(name="other"), "x")
    segment.delete()
    gone.delete()

    counted = figures(admin_client, environment)

    assert (counted["total_features"], counted["segment_overrides"]) == (1, 0)


def test_each_figure_has_its_words_and_rank(admin_client, environment):
    environment.minimum_change_request_approvals = 0
    environment.save()

    metrics = admin_client.get(url(environment)).json()["metrics"]

    assert [each["rank"] for each in metrics] == [1, 2, 3, 4, 5, 6]
    assert metrics[0] == {
        "value": 0,
        "description": "Total features",
        "name": "total_features",
        "entity": "features",
        "rank": 1,
    }


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_is_for_reading(admin_client, environment, method):
    assert getattr(admin_client, method)(url(environment)).status_code == 405


def test_is_for_who_may_see_the_environment(client_of, member, stranger, environment, feature):
    client = client_of(member)
    refused = [
        client.get(url(environment)).status_code,
        client_of(stranger).get(url(environment)).status_code,
    ]
    grant(member, environment, "VIEW_ENVIRONMENT")

    assert refused == [403, 403]
    assert figures(client, environment)["total_features"] == 1
