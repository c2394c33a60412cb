"""Schedules: what was committed takes effect when its time has come, once."""

from features.models import FeatureSegment
from features.services.change_sets import Change
from features.services.feature_states import update_feature_state
from features.tests.factories import default_state, make_segment_override
from tasks.models import Job
from workflows.services.change_requests import commit, propose_change_set
from workflows.tests.factories import (
    REQUESTS,
    act,
    ask,
    edit,
    let_time_come,
    require_approvals,
    served,
    soon,
    state,
)


def test_a_schedule_is_listed_edited_and_cancelled(environment, feature, admin_client):
    request = ask(admin_client, environment, state(feature, "red", live_from=soon()))
    act(admin_client, request, "commit")
    path = f"/api/v1/environments/{environment.api_key}/list-change-requests/"
    scheduled = f"{path}?committed=true&live_from_after={soon(seconds=0):%Y-%m-%dT%H:%M:%SZ}"
    metrics = f"/api/v1/environments/{environment.api_key}/metrics/"
    require_approvals(environment, 0)

    listed = admin_client.get(scheduled).json()
    figures = {each["name"]: each["value"] for each in admin_client.get(metrics).json()["metrics"]}
    later = edit(admin_client, request, feature_states=[state(feature, "green", live_from=soon(hours=3))])
    nothing_waits = not Job.objects.filter(task__startswith="workflows.", state="waiting").exists()
    act(admin_client, later, "commit")
    let_time_come(request)

    assert [each["id"] for each in listed["results"]] == [request["id"]]
    assert (figures["open_change_requests"], figures["total_scheduled_changes"]) == (0, 1)
    assert nothing_waits
    assert not later["is_committed"]
    assert served(feature, environment) == "green"
    edit(admin_client, request, status=400, title="Too late")


def test_a_schedule_is_done_once_however_often_its_job_runs(environment, feature, admin, admin_client):
    request = ask(admin_client, environment, state(feature, "red", live_from=soon()))
    act(admin_client, request, "commit")
    let_time_come(request)
    update_feature_state(default_state(feature, environment), author=admin, value="yellow")

    Job.objects.filter(task__startswith="workflows.").update(state="waiting", finished_at=None)
    let_time_come()

    assert served(feature, environment) == "yellow"
    assert default_state(feature, environment).change_request_id is None


def test_a_schedule_that_no_longer_fits_is_given_up_with_the_reason(
    environment, feature, segment, admin, admin_client
):
    change = Change(
        feature.pk, environment.pk, segment_id=segment.pk, enabled=True, priority=0, others_make_way=False
    )
    request = propose_change_set(environment, [change], author=admin, title="Beta", live_from=soon())
    commit(request, author=admin)
    make_segment_override(feature, environment, feature.project.segments.create(name="paid"), "first")

    let_time_come({"id": request.pk})

    shown = admin_client.get(f"{REQUESTS}{request.pk}/").json()
    assert shown["failure"] == "Two segment overrides of a feature can't have the same priority."
    assert not FeatureSegment.objects.filter(segment=segment).exists()
