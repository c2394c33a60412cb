"""Segments change by requests of their project."""

from segments.models import Segment
from segments.services import update_segment
from workflows.tests.factories import require_approvals


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


def test_a_change_of_a_segment_is_approved_and_stopped_by_what_others_have_changed_meanwhile(
    project, segment, admin, admin_client, reviewer, client_of
):
    path = f"/api/v1/projects/{project.pk}/change-requests/"
    wanted = {"version_of": segment.pk, "name": "testers"}
    request = admin_client.post(path, {"title": "Rename", "segments": [wanted]}, format="json").json()
    one = f"{path}{request['id']}/"
    update_segment(segment, author=admin, description="They know what they do")
    require_approvals(project, 1)

    own = admin_client.post(f"{one}approve/")
    early = admin_client.post(f"{one}commit/")
    approved = client_of(reviewer).post(f"{one}approve/")
    refused = admin_client.post(f"{one}commit/")
    edited = admin_client.patch(one, {"segments": [wanted]}, format="json")
    unapproved = admin_client.post(f"{one}commit/")
    client_of(reviewer).post(f"{one}approve/")
    committed = admin_client.post(f"{one}commit/")
    discarded = admin_client.delete(one)

    assert [each.status_code for each in (own, early, approved, refused)] == [400, 400, 200, 400]
    assert refused.json()["conflicts"][0]["segment_id"] == segment.pk
    assert not edited.json()["is_approved"]
    assert not edited.json()["conflicts"]
    assert [each.status_code for each in (unapproved, committed, discarded)] == [400, 200, 400]
    segment.refresh_from_db()
    assert (segment.name, segment.description) == ("testers", "They know what they do")
