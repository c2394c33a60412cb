"""Change requests by API: from the question to the commit."""

from audit.models import AuditRecord
from features.models import FeatureSegment
from features.services.change_sets import Change
from features.services.versioning import enable_versioning
from features.services.versions import create_draft
from features.tests.factories import default_state, make_feature, make_segment_override
from organisations.tests.factories import machine_client, make_key
from permissions.tests.factories import grant, make_group
from workflows.services.change_requests import propose_change_set
from workflows.tests.factories import (
    REQUESTS,
    act,
    ask,
    edit,
    require_approvals,
    served,
    soon,
    state,
    text,
)


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


def test_a_request_that_is_discarded_is_gone_and_only_its_author_or_an_administrator_may_do_so(
    environment, feature, admin_client, member, client_of
):
    grant(member, environment, "VIEW_ENVIRONMENT", "CREATE_CHANGE_REQUEST", "UPDATE_FEATURE_STATE")
    theirs = ask(client_of(member), environment, state(feature, "red"))
    request = ask(admin_client, environment, state(feature, "green"))
    path = f"{REQUESTS}{request['id']}/"

    by_others = [
        client_of(member).delete(path),
        client_of(member).patch(path, {"title": "Mine"}, format="json"),
    ]
    by_authors = [
        client_of(member).delete(f"{REQUESTS}{theirs['id']}/"),
        admin_client.delete(path),
    ]

    assert [answer.status_code for answer in by_others] == [403, 403]
    assert [answer.status_code for answer in by_authors] == [204, 204]
    assert admin_client.get(path).status_code == 404
    act(admin_client, request, "commit", status=404)
    listed = admin_client.get(f"/api/v1/environments/{environment.api_key}/list-change-requests/").json()
    assert listed["count"] == 0
    assert served(feature, environment) == "blue"
    assert AuditRecord.objects.filter(log="Change Request: Paint it deleted").count() == 2


def test_whoever_sees_a_request_comments_on_it_and_that_ends_no_approval(
    environment, feature, organisation, admin_client, reviewer, member, client_of
):
    require_approvals(environment, 1)
    request = ask(admin_client, environment, state(feature, "red"))
    act(client_of(reviewer), request, "approve")
    path = f"{REQUESTS}{request['id']}/comments/"
    hidden = client_of(member).post(path, {"text": "Me too"}, format="json")
    grant(member, environment, "VIEW_ENVIRONMENT")
    machine = machine_client(make_key(organisation, name="robot"))

    made = client_of(member).post(path, {"text": "Why not green?"}, format="json")
    empty = client_of(member).post(path, {"text": ""}, format="json")
    act(admin_client, request, "commit")
    after = machine.post(path, {"text": "Done"}, format="json")

    assert (hidden.status_code, made.status_code, empty.status_code, after.status_code) == (
        403,
        201,
        400,
        201,
    )
    listed = client_of(member).get(path).json()
    assert listed["results"] == [made.json(), after.json()]
    assert (made.json()["user"], made.json()["text"]) == (member.pk, "Why not green?")
    assert (after.json()["user"], after.json()["key"]) == (None, "robot")


def test_code_proposes_a_change_set_which_is_committed_as_it_is(
    environment, feature, segment, admin, admin_client, reviewer, client_of
):
    paid = feature.project.segments.create(name="paid")
    other = make_feature(feature.project)
    for each in (segment, paid):
        make_segment_override(feature, environment, each, "old")
    require_approvals(environment, 1)
    place = (feature.pk, environment.pk)
    changes = [
        Change(*place, segment_id=paid.pk, value="new", priority=0, others_make_way=False),
        Change(*place, segment_id=segment.pk, priority=1, others_make_way=False),
        Change(*place, value="red"),
        Change(other.pk, environment.pk, enabled=True),
    ]

    proposed = propose_change_set(environment, changes, author=admin, title="Paint it")
    shown = get(admin_client, {"id": proposed.pk})
    act(client_of(reviewer), shown, "approve")
    approved = edit(admin_client, get(admin_client, shown))
    act(admin_client, shown, "commit")

    assert approved["is_approved"]
    assert [each["feature"] for each in shown["change_sets"]] == [feature.pk, other.pk]
    assert served(feature, environment) == "red"
    assert default_state(other, environment).enabled
    places = FeatureSegment.objects.filter(feature=feature).order_by("priority")
    assert list(places.values_list("segment", "feature_states__string_value")) == [
        (paid.pk, "new"),
        (segment.pk, "old"),
    ]
