"""Segments and the features that they override: what is deleted with them, and what is found."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.models import Environment
from features.models import FeatureSegment, FeatureState
from features.tests.factories import make_feature, make_segment_override
from projects.models import Project
from segments.models import Segment
from segments.tests.factories import make_segment


def segment_url(project: Project, segment: Segment, action: str = "") -> str:
    return f"/api/v1/projects/{project.pk}/segments/{segment.pk}/{action}"


def test_deleting_a_segment_takes_overrides_along_in_a_fixed_number_of_queries(
    admin_client, project, environment, feature
):
    def queries_of_deleting(overrides: int) -> int:
        segment = make_segment(project)
        for _ in range(overrides):
            make_segment_override(make_feature(project), environment, segment)
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.delete(segment_url(project, segment)).status_code == 204
        return len(captured)

    assert queries_of_deleting(1) == queries_of_deleting(10)
    assert not FeatureSegment.objects.exists()
    assert not FeatureState.objects.filter(feature_segment__isnull=False).exists()
    assert not Segment.objects.exists()


def test_associated_features_are_the_states_that_override_for_it(admin_client, project, environment, feature):
    segment = make_segment(project)
    state = make_segment_override(feature, environment, segment)
    make_segment_override(make_feature(project), environment, make_segment(project))

    response = admin_client.get(segment_url(project, segment, "associated-features/"))
    elsewhere = admin_client.get(
        segment_url(project, segment, "associated-features/"), {"environment": 999_999}
    )

    assert response.json()["results"] == [
        {"id": state.pk, "feature": feature.pk, "environment": environment.pk}
    ]
    assert elsewhere.json()["results"] == []


def test_where_it_is_used_names_features_environments_and_priorities(
    admin_client, project, environment, feature
):
    segment = make_segment(project)
    make_segment_override(feature, environment, make_segment(project))
    second = make_segment_override(feature, environment, segment)
    gone = make_feature(project)
    make_segment_override(gone, environment, segment)
    gone.delete()
    staging = Environment.objects.create(project=project, name="Staging")
    first = make_segment_override(make_feature(project, name="banner"), staging, segment)
    url = segment_url(project, segment, "where-used/")

    uses = admin_client.get(url).json()

    assert [
        (use["feature"]["name"], use["environment"]["name"], use["priority"], use["feature_state"])
        for use in uses
    ] == [("new_checkout", "Production", 1, second.pk), ("banner", "Staging", 0, first.pk)]
    assert uses[0] == {
        "feature": {"id": feature.pk, "name": "new_checkout"},
        "environment": {"id": environment.pk, "name": "Production"},
        "feature_segment": second.feature_segment_id,
        "feature_state": second.pk,
        "priority": 1,
        "enabled": second.enabled,
    }
    with CaptureQueriesContext(connection) as of_two:
        admin_client.get(url)
    for number in range(5):
        make_segment_override(make_feature(project, name=f"more_{number}"), staging, segment)
    with CaptureQueriesContext(connection) as of_seven:
        assert len(admin_client.get(url).json()) == 7
    assert len(of_two) == len(of_seven)


def test_what_is_not_served_is_not_a_use(admin_client, project, environment, feature):
    segment = make_segment(project)
    state = make_segment_override(feature, environment, segment)
    FeatureState.objects.filter(pk=state.pk).update(is_live=False)
    FeatureSegment.objects.filter(pk=state.feature_segment_id).update(is_live=False)

    associated = admin_client.get(segment_url(project, segment, "associated-features/")).json()

    assert associated["results"] == []
    assert admin_client.get(segment_url(project, segment, "where-used/")).json() == []
