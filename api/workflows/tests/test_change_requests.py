"""Change requests by API: from the question to the commit."""

import pytest

from conftest import member_of
from features.services.feature_states import update_feature_state
from features.services.versioning import enable_versioning
from features.services.versions import create_draft
from features.tests.factories import default_state, make_feature, make_segment_override
from organisations.models import MemberRole
from organisations.tests.factories import machine_client, make_key
from permissions.tests.factories import grant, make_group
from segments.models import Segment
from tasks.models import Job
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
    text,
)


@pytest.fixture
def reviewer(organisation):
    return member_of(organisation, MemberRole.ADMIN)


@pytest.fixture
def segment(project) -> Segment:
    return Segment.objects.create(project=project, name="beta")


def get(client, request):
    return client.get(f"{REQUESTS}{request['id']}/").json()


def test_what_is_sent_comes_back_and_sending_it_back_changes_nothing(environment, feature, admin_client):
    request = ask(
        admin_client, environment, state(feature, "red", live_from=soon()), description="For the summer"
    )

    again = edit(admin_client, request)

    assert {**again, "updated_at": None} == {**request, "updated_at": None}
    assert request["title"] == "Paint it"
    assert request["feature_states"][0]["feature_state_value"]["string_value"] == "red"
    assert request["live_from"]


def test_an_edit_ends_all_approvals_and_asking_others_does_not(
    environment, feature, admin_client, reviewer, member, client_of
):
    require_approvals(environment, 1)
    request = ask(admin_client, environment, state(feature, "red"), approvals=[{"user": reviewer.pk}])
    approved = act(client_of(reviewer), request, "approve")

    asked = edit(admin_client, approved, approvals=[*approved["approvals"], {"user": member.pk}])
    edited = edit(admin_client, asked, feature_states=[state(feature, "green")])

    assert asked["is_approved"]
    assert not edited["is_approved"]
    assert {each["user"] for each in edited["approvals"]} == {reviewer.pk, member.pk}
    act(admin_client, request, "commit", status=400)


def test_whoever_edits_a_request_does_not_approve_it(environment, feature, admin_client, reviewer, client_of):
    require_approvals(environment, 1)
    request = ask(admin_client, environment, state(feature, "red"))

    edit(client_of(reviewer), request, feature_states=[state(feature, "green")])

    act(client_of(reviewer), request, "approve", status=400)


def test_whoever_made_a_key_does_not_approve_what_it_asks_for(
    environment, feature, organisation, admin, admin_client, reviewer, client_of
):
    require_approvals(environment, 1)
    machine = machine_client(make_key(organisation, creator=admin))
    request = ask(machine, environment, state(feature, "red"))

    by_itself = act(machine, request, "approve", status=403)
    act(admin_client, request, "approve", status=400)
    act(client_of(reviewer), request, "approve")
    committed = act(machine, request, "commit")

    assert by_itself["code"] == "no_person"
    assert committed["is_committed"]
    assert served(feature, environment) == "red"


def test_what_was_changed_meanwhile_is_shown_and_stops_the_commit_until_it_is_resolved(
    environment, feature, admin, admin_client
):
    request = ask(admin_client, environment, state(feature, "red"))
    other = ask(admin_client, environment, state(feature, "yellow"))
    act(admin_client, other, "commit")

    refused = act(admin_client, request, "commit", status=400)
    (conflict,) = get(admin_client, request)["conflicts"]

    assert refused["code"] == "change_request_conflicts"
    assert conflict["original_cr_id"] == other["id"]
    assert conflict["is_environment_default"]
    assert conflict["segment_id"] is None
    assert conflict["published_at"]
    edit(admin_client, get(admin_client, request))  # as it was: that resolves nothing
    act(admin_client, request, "commit", status=400)
    edit(admin_client, get(admin_client, request), feature_states=[state(feature, "green")])
    act(admin_client, request, "commit")
    assert served(feature, environment) == "green"


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


def test_direct_changes_are_refused_where_changes_need_a_request(
    environment, feature, segment, admin, admin_client, member, client_of
):
    require_approvals(environment, 1)
    current = default_state(feature, environment)
    path = f"/api/v1/environments/{environment.api_key}/featurestates/{current.pk}/"
    identities = f"/api/v1/environments/{environment.api_key}/identities/"
    grant(member, environment, "UPDATE_FEATURE_STATE", "VIEW_ENVIRONMENT")

    refused = admin_client.put(path, {"enabled": True}, format="json")
    override = admin_client.post(
        f"/api/v1/environments/{environment.api_key}/features/{feature.pk}/create-segment-override/",
        {"feature_segment": {"segment": segment.pk}, "enabled": True},
        format="json",
    )
    emergency = {"X-Burgee-Break-Glass": "The shop is down"}
    by_member = client_of(member).put(path, {"enabled": True}, format="json", headers=emergency)
    broken = admin_client.put(path, {"enabled": True}, format="json", headers=emergency)
    identity = admin_client.post(identities, {"identifier": "kim"}, format="json").json()["id"]
    exempt = admin_client.post(
        f"{identities}{identity}/featurestates/", {"feature": feature.pk, "enabled": True}, format="json"
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "approval_required")
    assert "takes changes by change request only" in refused.json()["detail"]
    assert override.status_code == 403
    assert (by_member.status_code, by_member.json()["code"]) == (403, "may_not_break_glass")
    assert broken.status_code == 200
    assert exempt.status_code == 201
    log = environment.project.organisation.audit_records.filter(log__startswith="Glass broken").get()
    assert log.author == admin
    assert "The shop is down" in log.log


def test_versions_are_not_published_directly_either(environment, feature, admin, admin_client):
    enable_versioning(environment, author=admin)
    require_approvals(environment, 0)
    versions = f"/api/v1/environments/{environment.pk}/features/{feature.pk}/versions/"
    body = {
        "publish_immediately": True,
        "feature_states_to_update": [
            {"feature_segment": None, "enabled": True, "feature_state_value": text("red")}
        ],
    }

    refused = admin_client.post(versions, body, format="json")
    draft = admin_client.post(versions, {**body, "publish_immediately": False}, format="json")
    uuid = draft.json()["uuid"]
    directly = admin_client.post(f"{versions}{uuid}/publish/", {}, format="json")
    request = ask(admin_client, environment, environment_feature_versions=[uuid])
    act(admin_client, request, "commit")

    assert (refused.status_code, draft.status_code, directly.status_code) == (403, 201, 403)
    assert served(feature, environment) == "red"


def test_a_draft_is_published_as_it_was_approved_or_not_at_all(environment, feature, admin, admin_client):
    enable_versioning(environment, author=admin)
    draft = create_draft(environment, feature, author=admin)
    request = ask(admin_client, environment, environment_feature_versions=[str(draft.pk)])
    states = f"/api/v1/environments/{environment.pk}/features/{feature.pk}/versions/{draft.pk}/featurestates/"
    drafted = admin_client.get(states).json()[0]

    admin_client.put(f"{states}{drafted['id']}/", {**drafted, "enabled": True}, format="json")

    assert act(admin_client, request, "commit", status=400)["code"] == "changed_draft"


def test_a_change_set_makes_changes_and_takes_away_overrides(
    environment, feature, segment, admin, admin_client
):
    paid = feature.project.segments.create(name="paid")
    enable_versioning(environment, author=admin)
    wanted = {
        "feature": feature.pk,
        "feature_states_to_update": [{"feature_segment": None, "feature_state_value": text("red")}],
        "feature_states_to_create": [
            {"feature_segment": {"segment": each.pk}, "enabled": True, "feature_state_value": text(each.name)}
            for each in (segment, paid)
        ],
        "segment_ids_to_delete_overrides": [],
    }
    made = ask(admin_client, environment, change_sets=[wanted])
    assert edit(admin_client, made)["change_sets"] == made["change_sets"]
    act(admin_client, made, "commit")

    removal = {"feature": feature.pk, "segment_ids_to_delete_overrides": [paid.pk]}
    act(admin_client, ask(admin_client, environment, change_sets=[removal]), "commit")
    again = admin_client.post(
        f"/api/v1/environments/{environment.api_key}/create-change-request/",
        {"title": "Twice", "change_sets": [wanted]},
        format="json",
    )

    places = f"/api/v1/features/feature-segments/?environment={environment.pk}&feature={feature.pk}"
    assert [each["segment"] for each in admin_client.get(places).json()["results"]] == [segment.pk]
    assert served(feature, environment) == "red"
    assert again.status_code == 400


def test_an_override_that_is_there_can_be_changed_by_request(environment, feature, segment, admin_client):
    override = make_segment_override(feature, environment, segment, "old")
    wanted = state(feature, "new", feature_segment=override.feature_segment_id)

    request = ask(admin_client, environment, wanted)
    listed = admin_client.get(
        f"/api/v1/environments/{environment.api_key}/list-change-requests/?segment_id={segment.pk}"
    ).json()
    act(admin_client, request, "commit")

    override.refresh_from_db()
    assert override.value == "new"
    assert override.change_request_id == request["id"]
    assert served(feature, environment) == "blue"
    assert listed["count"] == 1


def test_members_of_groups_and_reviewers_are_told(
    mailbox, environment, feature, organisation, admin, admin_client, member, reviewer, client_of
):
    require_approvals(environment, 1)
    group = make_group(organisation, member)

    request = ask(
        admin_client,
        environment,
        state(feature, "red"),
        approvals=[{"user": reviewer.pk}],
        group_assignments=[{"group": group.pk}],
    )
    act(client_of(reviewer), request, "approve")

    for reader in (member, reviewer, admin):
        (mail,) = mailbox.to(reader.email)
        assert mail["Subject"] == f"Change Request: Paint it (#{request['id']})"


def test_strangers_see_nothing_and_name_nobody(environment, feature, admin_client, stranger, client_of):
    request = ask(admin_client, environment, state(feature, "red"))
    theirs = client_of(stranger)
    path = f"/api/v1/environments/{environment.api_key}/create-change-request/"
    elsewhere = make_feature(stranger.memberships.get().organisation.projects.create(name="Theirs"))

    answers = [theirs.get(f"{REQUESTS}{request['id']}/"), theirs.post(f"{REQUESTS}{request['id']}/commit/")]
    bodies = [
        {"title": "x", "approvals": [{"user": stranger.pk}]},
        {"title": "x", "feature_states": [state(elsewhere, "red")]},
        {"title": "x", "environment_feature_versions": ["nonsense"]},
        {"feature_states": []},
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {admin_client.post(path, body, format="json").status_code for body in bodies} == {400}


def test_segments_change_by_requests_of_their_project(project, segment, admin_client):
    path = f"/api/v1/projects/{project.pk}/change-requests/"
    rules = [
        {
            "type": "ALL",
            "rules": [],
            "conditions": [{"operator": "EQUAL", "property": "plan", "value": "pro", "description": None}],
        }
    ]
    wanted = {"version_of": segment.pk, "name": "testers", "rules": rules}
    request = admin_client.post(path, {"title": "Rename", "segments": [wanted]}, format="json").json()
    sent_back = admin_client.put(f"{path}{request['id']}/", request, format="json").json()
    unchanged = Segment.objects.get(pk=segment.pk).name

    committed = admin_client.post(f"{path}{request['id']}/commit/")
    cohort = Segment.objects.create(project=project, name="cohort", managed_by="cohort")
    managed = admin_client.post(
        path, {"title": "x", "segments": [{"version_of": cohort.pk, "name": "y"}]}, format="json"
    )

    segment.refresh_from_db()
    assert sent_back["segments"] == request["segments"]
    assert unchanged == "beta"
    assert committed.status_code == 200, committed.json()
    assert segment.name == "testers"
    assert segment.rules.get().conditions.get().value == "pro"
    assert segment.revisions.count() == 1
    assert managed.status_code == 400
    assert admin_client.get(f"{path}?segment_id={segment.pk}&committed=true").json()["count"] == 1
