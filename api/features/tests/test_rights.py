"""Who may change what of features: the right permission, and for the right tags."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from environments.models import Environment
from features.models import Feature, FeatureSegment, FeatureState
from identities.models import Identity
from permissions.tests.factories import grant, make_role
from projects.models import Tag
from segments.models import Segment

UPDATE, OVERRIDE, DELETE = "UPDATE_FEATURE_STATE", "MANAGE_SEGMENT_OVERRIDES", "DELETE_FEATURE"


@dataclass(frozen=True)
class Scene:
    """A feature with a state and overrides, and another without any override yet."""

    feature: Feature
    fresh: Feature
    environment: Environment
    identity: Identity
    segment: Segment
    place: FeatureSegment
    state: FeatureState
    identity_state: FeatureState
    segment_state: FeatureState

    @property
    def path(self) -> str:
        return f"/api/v1/environments/{self.environment.api_key}"


@pytest.fixture
def tag(project) -> Tag:
    return project.tags.create(label="checkout")


@pytest.fixture
def scene(project, environment, feature, tag) -> Scene:
    fresh = Feature.objects.create(project=project, name="fresh")
    for each in (feature, fresh):
        each.tags.add(tag)
    segment = Segment.objects.create(project=project, name="Beta")
    place = FeatureSegment.objects.create(feature=feature, segment=segment, environment=environment)
    identity = Identity.objects.create(environment=environment, identifier="kim")
    override = {"feature": feature, "environment": environment}
    return Scene(
        feature=feature,
        fresh=fresh,
        environment=environment,
        identity=identity,
        segment=segment,
        place=place,
        state=FeatureState.objects.get(feature=feature),
        identity_state=FeatureState.objects.create(**override, identity=identity),
        segment_state=FeatureState.objects.create(**override, feature_segment=place),
    )


Call = Callable[[Scene], tuple[str, str, Any]]

CALLS: dict[str, tuple[str, Call]] = {
    "delete a feature": (
        DELETE,
        lambda s: ("delete", f"/api/v1/projects/{s.feature.project_id}/features/{s.feature.pk}/", None),
    ),
    "change an environment's state": (
        UPDATE,
        lambda s: ("put", f"{s.path}/featurestates/{s.state.pk}/", {"enabled": True}),
    ),
    "delete an environment's state": (
        UPDATE,
        lambda s: ("delete", f"{s.path}/featurestates/{s.state.pk}/", None),
    ),
    "override for an identity, by the environment": (
        UPDATE,
        lambda s: (
            "post",
            f"{s.path}/featurestates/",
            {"feature": s.fresh.pk, "identifier": "kim", "enabled": True},
        ),
    ),
    "override for an identity": (
        UPDATE,
        lambda s: ("post", f"{s.path}/identities/{s.identity.pk}/featurestates/", {"feature": s.fresh.pk}),
    ),
    "change an identity's override": (
        UPDATE,
        lambda s: (
            "patch",
            f"{s.path}/identities/{s.identity.pk}/featurestates/{s.identity_state.pk}/",
            {"enabled": True},
        ),
    ),
    "override for an identity, among all states": (
        UPDATE,
        lambda s: (
            "post",
            "/api/v1/features/featurestates/",
            {"feature": s.fresh.pk, "environment": s.environment.pk, "identity": s.identity.pk},
        ),
    ),
    "change a state, among all states": (
        UPDATE,
        lambda s: ("patch", f"/api/v1/features/featurestates/{s.state.pk}/", {"enabled": True}),
    ),
    "change a segment override, among all states": (
        OVERRIDE,
        lambda s: ("patch", f"/api/v1/features/featurestates/{s.segment_state.pk}/", {"enabled": True}),
    ),
    "update a flag in a single call": (
        UPDATE,
        lambda s: (
            "post",
            f"/api/experiments/environments/{s.environment.api_key}/update-flag-v1/",
            {
                "feature": {"name": s.feature.name},
                "enabled": True,
                "value": {"type": "string", "value": "x"},
            },
        ),
    ),
    "make a segment override": (
        OVERRIDE,
        lambda s: (
            "post",
            f"{s.path}/features/{s.fresh.pk}/create-segment-override/",
            {
                "feature_segment": {"segment": s.segment.pk},
                "enabled": True,
                "feature_state_value": {"type": "unicode", "string_value": "x"},
            },
        ),
    ),
    "make the place of a segment override": (
        OVERRIDE,
        lambda s: (
            "post",
            "/api/v1/features/feature-segments/",
            {"feature": s.fresh.pk, "segment": s.segment.pk, "environment": s.environment.pk},
        ),
    ),
    "look at the place of a segment override": (
        OVERRIDE,
        lambda s: ("get", f"/api/v1/features/feature-segments/{s.place.pk}/", None),
    ),
    "delete a segment override": (
        OVERRIDE,
        lambda s: ("delete", f"/api/v1/features/feature-segments/{s.place.pk}/", None),
    ),
    "order segment overrides": (
        OVERRIDE,
        lambda s: (
            "post",
            "/api/v1/features/feature-segments/update-priorities/",
            [{"id": s.place.pk, "priority": 3}],
        ),
    ),
}
EVERY_CALL = pytest.mark.parametrize(("permission", "call"), CALLS.values(), ids=CALLS)


def send(client: APIClient, scene: Scene, call: Call) -> int:
    method, path, body = call(scene)
    status: int = getattr(client, method)(path, body, format="json").status_code
    return status


def target_of(permission: str, scene: Scene) -> Any:
    return scene.feature.project if permission == DELETE else scene.environment


def others(permission: str) -> list[str]:
    """Return the permissions of the environment that are not the one it takes."""
    every = [
        UPDATE,
        OVERRIDE,
        "VIEW_ENVIRONMENT",
        "VIEW_IDENTITIES",
        "MANAGE_IDENTITIES",
        "CREATE_CHANGE_REQUEST",
        "APPROVE_CHANGE_REQUEST",
        "BREAK_GLASS",
    ]
    return [each for each in every if each != permission]


@EVERY_CALL
def test_the_permission_is_enough(permission, call, scene, member, client_of):
    grant(member, target_of(permission, scene), permission)

    assert 200 <= send(client_of(member), scene, call) < 300


@EVERY_CALL
def test_all_other_permissions_are_not(permission, call, scene, member, client_of):
    grant(member, scene.environment, *others(permission))
    grant(member, scene.feature.project, "VIEW_PROJECT", "CREATE_FEATURE", "MANAGE_SEGMENTS", "MANAGE_TAGS")

    assert send(client_of(member), scene, call) == 403


@EVERY_CALL
def test_for_the_features_tag_it_is_enough(permission, call, scene, organisation, member, client_of, tag):
    grant(make_role(organisation, member), target_of(permission, scene), permission, tags=(tag.pk,))

    assert 200 <= send(client_of(member), scene, call) < 300


@EVERY_CALL
def test_for_other_tags_it_is_not(permission, call, scene, project, organisation, member, client_of):
    other = project.tags.create(label="other")
    grant(make_role(organisation, member), target_of(permission, scene), permission, tags=(other.pk,))

    assert send(client_of(member), scene, call) == 403


def test_a_segment_override_by_the_environments_states_takes_both_permissions(
    scene, member, organisation, client_of
):
    place = FeatureSegment.objects.create(
        feature=scene.fresh, segment=scene.segment, environment=scene.environment
    )
    body = {"feature": scene.fresh.pk, "feature_segment": place.pk, "enabled": True}
    path = f"{scene.path}/featurestates/"
    row = grant(member, scene.environment, UPDATE)

    refused = client_of(member).post(path, body, format="json")
    row.permissions = {UPDATE: [], OVERRIDE: []}
    row.save()
    made = client_of(member).post(path, body, format="json")

    assert (refused.status_code, made.status_code) == (403, 201)


def test_segment_overrides_are_listed_for_who_sees_the_project(scene, member, client_of):
    query = {"environment": scene.environment.pk, "feature": scene.feature.pk}
    client = client_of(member)
    path = "/api/v1/features/feature-segments/"

    before = client.get(path, query)
    grant(member, scene.feature.project, "VIEW_PROJECT")
    after = client.get(path, query)

    assert (before.status_code, after.status_code) == (403, 200)
    assert [each["id"] for each in after.json()["results"]] == [scene.place.pk]
    assert client.get(f"{path}get-by-uuid/{scene.place.uuid}/").status_code == 200


def test_states_are_listed_for_who_sees_the_environment(scene, member, client_of):
    client = client_of(member)
    query = {"environment": scene.environment.pk}

    before = client.get("/api/v1/features/featurestates/", query).status_code
    grant(member, scene.environment, "VIEW_ENVIRONMENT")
    after = client.get("/api/v1/features/featurestates/", query)

    assert (before, after.status_code) == (403, 200)
    assert after.json()["count"] >= 3


def test_only_members_who_see_the_project_become_owners(project, feature, member, stranger, admin_client):
    path = f"/api/v1/projects/{project.pk}/features/{feature.pk}/add-owners/"

    unseeing = admin_client.post(path, {"user_ids": [member.pk]}, format="json")
    grant(member, project, "VIEW_PROJECT")
    seeing = admin_client.post(path, {"user_ids": [member.pk]}, format="json")
    strange = admin_client.post(path, {"user_ids": [stranger.pk]}, format="json")

    assert (unseeing.status_code, seeing.status_code, strange.status_code) == (400, 200, 400)
    assert [each["id"] for each in seeing.json()["owners"]] == [member.pk]
