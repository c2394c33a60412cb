"""Change requests and schedules: what is easy to get wrong."""

import json
from typing import Any

import pytest

from audit.models import AuditRecord
from conftest import member_of
from features.models import FeatureState
from features.services.feature_states import update_feature_state
from features.services.versioning import disable_versioning, enable_versioning
from features.tests.factories import default_state, make_option
from organisations.models import MemberRole
from tasks.models import Job
from tasks.services import run_due
from users.models import User
from webhooks.models import Event, EventType
from workflows.models import ChangeRequest
from workflows.tests.factories import (
    REQUESTS,
    act,
    ask,
    edit,
    let_time_come,
    make_due,
    require_approvals,
    served,
    soon,
    state,
)


@pytest.fixture
def reviewer(organisation) -> User:
    return member_of(organisation, MemberRole.ADMIN)


@pytest.fixture
def reviewer_client(reviewer, client_of):
    return client_of(reviewer)


@pytest.fixture(params=["in place", "by versions"])
def kept(request, environment, feature, admin):
    """An environment whose features change in place, or by versions."""
    if request.param == "by versions":
        enable_versioning(environment, author=admin)
    return environment


def logs() -> list[tuple[str, bool]]:
    records = AuditRecord.objects.order_by("pk").values_list("log", "is_system_event")
    return list(records)


def told_of_flags() -> list[dict[str, Any]]:
    """Return what webhooks are told of flags that were changed, in order."""
    events = Event.objects.filter(event_type=EventType.FLAG_UPDATED).order_by("pk")
    return [json.loads(each.body)["data"] for each in events]


def test_nobody_approves_their_own_request_and_whoever_is_asked_to_approve_has_not(
    kept, feature, admin, admin_client, reviewer, reviewer_client
):
    require_approvals(kept, 1)
    request = ask(admin_client, kept, state(feature, "red"), approvals=[{"user": reviewer.pk}])
    assert not request["is_approved"]

    own = act(admin_client, request, "approve", status=400)
    early = act(admin_client, request, "commit", status=400)

    assert own["detail"] == "User cannot approve their own Change Request."
    assert early["detail"] == "Change request has not been approved by all required approvers."
    assert served(feature, kept) == "blue"
    for _ in range(2):
        assert act(reviewer_client, request, "approve")["is_approved"]
    assert act(admin_client, request, "commit")["is_committed"]
    assert served(feature, kept) == "red"
    assert logs().count(("Change Request: Paint it approved", False)) == 1


def test_where_no_minimum_is_set_a_request_needs_no_approval(kept, feature, admin_client):
    request = ask(admin_client, kept, state(feature, "red"))

    committed = act(admin_client, request, "commit")

    assert request["is_approved"]
    assert committed["committed_at"]
    assert served(feature, kept) == "red"


def test_of_two_schedules_the_later_one_wins_in_whatever_order_they_are_committed_and_run(
    kept, feature, admin_client
):
    late = ask(admin_client, kept, state(feature, "late", live_from=soon(hours=2)))
    early = ask(admin_client, kept, state(feature, "early", live_from=soon(hours=1)))
    for request in (late, early):
        act(admin_client, request, "commit")
    make_due(early, late)
    # The job of the later one runs first.
    first, second = Job.objects.filter(task__startswith="workflows.").order_by("-run_at")

    Job.objects.filter(pk=second.pk).update(run_at=soon())
    run_due()
    Job.objects.filter(pk=second.pk).update(run_at=first.run_at)
    run_due()

    assert served(feature, kept) == "late"
    assert set(ChangeRequest.objects.values_list("changes__given_up_at", flat=True)) == {None}


def test_a_committed_request_cannot_be_deleted_but_one_that_is_scheduled_can(kept, feature, admin_client):
    done = ask(admin_client, kept, state(feature, "red"))
    act(admin_client, done, "commit")
    scheduled = ask(admin_client, kept, state(feature, "green", live_from=soon()))
    act(admin_client, scheduled, "commit")

    refused = admin_client.delete(f"{REQUESTS}{done['id']}/")
    deleted = admin_client.delete(f"{REQUESTS}{scheduled['id']}/")
    Job.objects.update(run_at=soon(hours=-1))
    run_due()

    assert refused.status_code == 400
    assert refused.json()["detail"] == "Cannot delete a Change Request that has been committed."
    assert deleted.status_code == 204
    assert served(feature, kept) == "red"


def test_with_its_environment_a_schedule_goes(environment, feature, admin_client):
    request = ask(admin_client, environment, state(feature, "red", live_from=soon()))
    act(admin_client, request, "commit")

    environment.delete()
    let_time_come(request)

    assert not ChangeRequest.objects.exists()
    assert not Job.objects.filter(task__startswith="workflows.", state="dead").exists()


def test_states_are_recorded_when_they_change_as_events_of_the_system(environment, feature, admin_client):
    at_once = ask(admin_client, environment, state(feature, "red"))
    act(admin_client, at_once, "commit")
    changed = logs()
    scheduled = ask(admin_client, environment, state(feature, "green", live_from=soon()), title="Later")
    act(admin_client, scheduled, "commit")
    before = logs()
    let_time_come(scheduled)

    sentence = f"Flag state / Remote config updated for feature: {feature.name} by Change Request: Paint it"
    live = (
        "Scheduled change to Flag state / Remote config value went live for feature: "
        f"{feature.name} by Change Request: Later"
    )
    assert changed[-2:] == [("Change Request: Paint it committed", False), (sentence, True)]
    assert before[-1][0].startswith(
        f"Flag state for feature '{feature.name}' scheduled for update by Change Request 'Later' at "
    )
    assert logs()[len(before) :] == [(live, True)]


def test_a_conflict_at_the_scheduled_time_is_mailed_to_the_author_and_leaves_the_flag(
    mailbox, environment, feature, admin, admin_client
):
    request = ask(admin_client, environment, state(feature, "red", live_from=soon()))
    act(admin_client, request, "commit")
    update_feature_state(default_state(feature, environment), author=admin, value="yellow")

    let_time_come(request)

    assert served(feature, environment) == "yellow"
    assert f"(#{request['id']})" in mailbox.to(admin.email)[0]["Subject"]
    shown = admin_client.get(f"{REQUESTS}{request['id']}/").json()
    assert shown["failure"] == "What it changes was changed meanwhile."
    assert shown["conflicts"][0]["is_environment_default"]
    edit(admin_client, shown, ignore_conflicts=True)
    act(admin_client, request, "commit")
    let_time_come(request)
    assert served(feature, environment) == "red"


def test_webhooks_hear_of_a_schedule_when_it_takes_effect_with_what_was_served_until_then(
    settings, kept, feature, admin, admin_client
):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    kept.webhooks.create(url="http://127.0.0.1:1/hook")
    option = make_option(feature, "white", 10)
    wanted = state(
        feature,
        "red",
        live_from=soon(),
        multivariate_feature_state_values=[
            {"multivariate_feature_option": option.pk, "percentage_allocation": 70}
        ],
    )
    request = ask(admin_client, kept, wanted, ignore_conflicts=True)
    act(admin_client, request, "commit")
    assert told_of_flags() == []
    update_feature_state(default_state(feature, kept), author=None, value="yellow")

    let_time_come(request)

    _, told = told_of_flags()
    before, now = told["previous_state"], told["new_state"]
    assert told["changed_by"] == admin.email
    assert (before["enabled"], before["feature_state_value"]) == (False, "yellow")
    assert (now["enabled"], now["feature_state_value"]) == (True, "red")
    shares = [
        [each["percentage_allocation"] for each in said["multivariate_feature_state_values"]]
        for said in (before, now)
    ]
    assert shares == [[10], [70]]


def test_committing_moves_nobody_to_another_variant(kept, feature, admin_client):
    option = make_option(feature, "green", 40)
    seed = default_state(feature, kept).seed
    request = ask(admin_client, kept, state(feature, "red"))
    assert request["feature_states"][0]["multivariate_feature_state_values"] == [
        {"multivariate_feature_option": option.pk, "percentage_allocation": 40.0}
    ]

    act(admin_client, request, "commit")

    after = default_state(feature, kept)
    assert after.seed == seed
    assert [each.percentage_allocation for each in after.multivariate_feature_state_values.all()] == [40.0]


def test_drafts_are_in_no_list_of_states(kept, feature, admin_client):
    ask(admin_client, kept, state(feature, "red"))

    assert FeatureState.all_objects.filter(feature=feature, environment=kept).count() == 1
    assert not any("Remote config" in log and "Paint" in log for log, _ in logs())


def test_schedules_outlive_the_turn_to_versions_and_back(environment, feature, admin, admin_client):
    first, second = (
        ask(admin_client, environment, state(feature, value, live_from=soon(hours=hours)))
        for value, hours in (("red", 1), ("green", 2))
    )
    for request in (first, second):
        act(admin_client, request, "commit")

    enable_versioning(environment, author=admin)
    let_time_come(first)
    by_version = default_state(feature, environment)
    disable_versioning(environment, author=admin)
    let_time_come(second)

    assert by_version.value == "red"
    assert by_version.environment_feature_version is not None
    assert by_version.change_request_id == first["id"]
    assert served(feature, environment) == "green"
