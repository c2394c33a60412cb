"""Where changes need a request, nobody makes them directly; but in an emergency."""

from features.services.versioning import enable_versioning
from features.tests.factories import default_state
from permissions.tests.factories import grant
from workflows.tests.factories import act, ask, require_approvals, served, text


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


def test_segments_are_not_changed_directly_where_their_project_requires_approval(
    project, segment, admin_client, member, client_of
):
    require_approvals(project, 1)
    grant(member, project, "VIEW_PROJECT", "MANAGE_SEGMENTS")
    path = f"/api/v1/projects/{project.pk}/segments/{segment.pk}/"
    emergency = {"X-Burgee-Break-Glass": "Everybody is a tester"}

    same = admin_client.patch(path, {"name": segment.name}, format="json")
    refused = admin_client.patch(path, {"name": "all"}, format="json")
    by_member = client_of(member).patch(path, {"name": "all"}, format="json", headers=emergency)
    broken = admin_client.patch(path, {"name": "few"}, format="json", headers=emergency)

    assert (same.status_code, broken.status_code) == (200, 200)
    assert (refused.status_code, refused.json()["code"]) == (403, "approval_required")
    assert (by_member.status_code, by_member.json()["code"]) == (403, "may_not_break_glass")
    segment.refresh_from_db()
    assert segment.name == "few"
    (record,) = project.organisation.audit_records.filter(log__startswith="Glass broken")
    assert record.log.endswith("Reason: Everybody is a tester")
