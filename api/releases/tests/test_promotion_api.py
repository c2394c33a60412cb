"""Promotion, and what is compared and previewed besides, over HTTP."""

from typing import Any

import pytest

from audit.models import AuditRecord
from environments.models import Environment
from features.models import EnvironmentFeatureVersion, FeatureState
from features.services.change_sets import Change, apply_to_version
from features.services.feature_states import update_feature_state
from features.services.versioning import enable_versioning
from features.services.versions import create_draft
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_option,
    make_segment_override,
)
from identities.models import Identity
from permissions.tests.factories import grant
from segments.tests.factories import make_segment
from workflows.tests.factories import ask, let_time_come, require_approvals, served, soon, state


@pytest.fixture
def production(project) -> Environment:
    return Environment.objects.create(project=project, name="Live")


@pytest.fixture
def staging(environment, feature, admin) -> Environment:
    """Where a feature is on for everyone, red for a segment, with another share of its variant."""
    environment.name = "Staging"
    environment.save()
    make_option(feature, "green", 40)
    segment = make_segment(environment.project, name="beta")
    make_segment_override(feature, environment, segment, "red")
    identity = Identity.objects.create(environment=environment, identifier="kim")
    make_identity_override(feature, identity, "for kim")
    update_feature_state(default_state(feature, environment), author=admin, enabled=True)
    return environment


def url(target: Environment, source: Environment) -> str:
    return f"/api/v1/environments/{target.api_key}/promote-from/{source.api_key}/"


def post(client: Any, path: str, body: Any, *, status: int = 200) -> Any:
    response = client.post(path, body, format="json")
    assert response.status_code == status, response.content
    return response.json()


def test_what_differs_is_compared_chosen_previewed_and_carried_over_as_one_change(
    admin_client, staging, production, feature, admin
):
    other = make_feature(staging.project, name="other")
    update_feature_state(default_state(other, staging), author=admin, value="5")
    path = url(production, staging)

    compared = admin_client.get(path).json()
    items = [
        {"feature": feature.pk, "kind": "environment_default", "only": ["enabled"]},
        {"feature": feature.pk, "segment": compared["changes"][1]["segment"]["id"]},
    ]
    preview = post(admin_client, f"{path}preview/", {"items": items})
    assert not default_state(feature, production).enabled
    done = post(admin_client, path, {"items": items})

    assert [(each["kind"], each["feature"]["name"], each["change"]) for each in compared["changes"]] == [
        ("environment_default", "new_checkout", "updated"),
        ("segment_override", "new_checkout", "created"),
        ("environment_default", "other", "updated"),
    ]
    assert compared["changes"][0]["differences"] == [{"field": "enabled", "old": False, "new": True}]
    assert done["changes"] == preview["changes"] == compared["changes"][:2]
    [document] = preview["documents"]
    assert [(each["kind"], each["change"]) for each in document["changes"]] == [
        ("environment_default", "updated"),
        ("segment_override", "created"),
    ]
    assert [each["feature"]["name"] for each in admin_client.get(path).json()["changes"]] == ["other"]
    assert not FeatureState.objects.filter(environment=production, identity__isnull=False).exists()
    assert AuditRecord.objects.order_by("-pk")[0].log == (
        "Promoted from environment 'Staging' to 'Live': features changed: 1"
    )
    again = post(admin_client, path, {"items": items}, status=409)
    assert (again["code"], again["changes"]) == ("nothing_to_do", [])


def test_each_feature_gets_one_version_where_versions_are_kept(
    admin_client, staging, production, feature, admin
):
    other = make_feature(staging.project, name="other")
    update_feature_state(default_state(other, staging), author=admin, value="5")
    enable_versioning(production, author=admin)
    before = EnvironmentFeatureVersion.objects.filter(environment=production).count()

    body = {"items": [{"feature": feature.pk}, {"feature": other.pk}]}
    post(admin_client, url(production, staging), body)

    versions = EnvironmentFeatureVersion.objects.filter(environment=production)
    assert versions.count() == before + 2
    assert admin_client.get(url(production, staging)).json()["changes"] == []
    newest = versions.filter(feature=feature).get(is_live=True)
    path = f"/api/v1/environments/{production.pk}/features/{feature.pk}/versions/{newest.pk}/"
    compared = admin_client.get(f"{path}compare/").json()["changes"]
    assert [(each["kind"], each["change"]) for each in compared] == [
        ("environment_default", "updated"),
        ("segment_override", "created"),
    ]
    assert admin_client.get(f"{path}compare/", {"base": str(newest.pk)}).json() == {"changes": []}
    draft = create_draft(production, feature, author=admin)
    apply_to_version(draft, [Change(feature.pk, production.pk, value="pink")], author=admin)
    [document] = post(admin_client, f"{path.replace(str(newest.pk), str(draft.pk))}preview/", {})["documents"]
    assert document["changes"][0]["differences"] == [
        {"field": "feature_state_value", "old": "blue", "new": "pink"}
    ]
    assert served(feature, production) == "blue"


def test_where_approval_is_required_a_promotion_is_asked_for(admin_client, staging, production, feature):
    require_approvals(production, 0)
    path, items = url(production, staging), [{"feature": feature.pk}]

    refused = post(admin_client, path, {"items": items}, status=403)
    asked = post(admin_client, path, {"items": items, "mode": "request", "title": "Out with it"})
    scheduled = {"items": items, "mode": "schedule", "live_from": soon().isoformat()}
    waiting = post(admin_client, path, scheduled)

    assert refused["code"] == "approval_required"
    request = f"/api/v1/features/workflows/change-requests/{asked['change_request']}/"
    assert admin_client.get(request).json()["title"] == "Out with it"
    assert not default_state(feature, production).enabled
    let_time_come({"id": waiting["change_request"]})
    assert default_state(feature, production).enabled
    assert admin_client.get(path).json()["changes"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"items": []}, 400),
        ({"items": [{"feature": 0}]}, 400),
        ({"items": [{"feature": 2_000_000_000}]}, 400),
        ({"items": [{"feature": "ours", "segment": 2_000_000_000}]}, 400),
        ({"items": [{"feature": "ours", "kind": "environment_default", "segment": 1}]}, 400),
        ({"items": [{"feature": "ours", "only": ["nothing"]}]}, 400),
        ({"items": [{"feature": "ours"}], "mode": "schedule"}, 400),
        ({"items": [{"feature": "ours"}], "live_from": "2999-01-01T00:00:00Z"}, 400),
        ({"items": [{"feature": "ours"}], "target_revision": 999}, 409),
    ],
)
def test_what_makes_no_sense_is_refused(admin_client, staging, production, feature, body, status):
    items = [
        {**each, "feature": feature.pk if each["feature"] == "ours" else each["feature"]}
        for each in body["items"]
    ]

    post(admin_client, url(production, staging), {**body, "items": items}, status=status)

    assert not default_state(feature, production).enabled


def test_who_may_not_look_at_both_or_change_all_of_it_is_refused(
    admin_client, client_of, member, staging, production, feature
):
    grant(member, staging.project, "VIEW_PROJECT")
    grant(member, production, "VIEW_ENVIRONMENT", "UPDATE_FEATURE_STATE")
    client = client_of(member)
    body = {"items": [{"feature": feature.pk}]}

    assert client.get(url(production, staging)).status_code == 403
    grant(member, staging, "VIEW_ENVIRONMENT")
    assert client.get(url(production, staging)).status_code == 200
    post(client, url(production, staging), body, status=403)  # for the override
    post(client, f"{url(production, staging)}preview/", body)
    body["items"][0]["kind"] = "environment_default"
    post(client, url(production, staging), body)
    elsewhere = Environment.objects.create(
        project=staging.project.organisation.projects.create(name="Other"), name="Staging"
    )
    assert admin_client.get(url(production, elsewhere)).status_code == 403
    assert admin_client.get(url(production, production)).status_code == 400


def test_a_request_is_previewed_for_every_environment_that_it_touches(
    admin_client, client_of, member, staging, production, feature
):
    segment = staging.project.segments.get(name="beta")
    require_approvals(staging, 1)
    request = ask(admin_client, staging, state(feature, "red"))
    body = {"title": "Rename", "segments": [{"version_of": segment.pk, "name": "gamma"}]}
    of_segment = post(
        admin_client, f"/api/v1/projects/{staging.project_id}/change-requests/", body, status=201
    )
    path = f"/api/v1/projects/{staging.project_id}/change-requests/{of_segment['id']}/preview/"

    one = post(admin_client, f"/api/v1/features/workflows/change-requests/{request['id']}/preview/", {})
    everywhere = post(admin_client, path, {})

    [document] = one["documents"]
    assert document["changes"][0]["differences"] == [
        {"field": "feature_state_value", "old": "blue", "new": "red"}
    ]
    renamed = [{"field": "name", "old": "beta", "new": "gamma"}]
    assert [
        (each["environment"]["name"], each["segments"][0]["differences"]) for each in everywhere["documents"]
    ] == [
        ("Staging", renamed),
        ("Live", renamed),
    ]
    grant(member, staging.project, "VIEW_PROJECT")
    grant(member, production, "VIEW_ENVIRONMENT")
    [seen] = post(client_of(member), path, {})["documents"]
    assert seen["environment"]["name"] == "Live"
    segment.refresh_from_db()
    assert segment.name == "beta"
