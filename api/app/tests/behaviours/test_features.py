"""What is easy to get wrong about features. What else there is of it, `features/tests/` has."""

import pytest

from environments.models import Environment
from features.models import Feature, FeatureSegment, FeatureState
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_option,
    make_segment_override,
)
from identities.models import Identity
from permissions.tests.factories import grant, make_group
from projects.models import Project
from segments.tests.factories import make_segment


@pytest.fixture
def url(project) -> str:
    return f"/api/v1/projects/{project.pk}/features/"


@pytest.fixture
def editor(client_of, member, project):
    """Who may edit features and doesn't administer the project."""
    grant(member, project, "VIEW_PROJECT", "CREATE_FEATURE")
    return client_of(member)


def option(share: float = 10, **fields: object) -> dict[str, object]:
    return {"type": "unicode", "string_value": "red", "default_percentage_allocation": share, **fields}


def test_a_later_default_touches_no_environment(admin_client, url, environment, feature):
    body = {
        "name": "other",
        "default_enabled": True,
        "initial_value": "red",
        "owners": [],
        "group_owners": [],
    }

    shown = admin_client.put(f"{url}{feature.pk}/", body, format="json").json()
    Environment.objects.create(project=feature.project, name="Staging")

    assert (shown["name"], shown["default_enabled"], shown["initial_value"]) == (feature.name, False, "blue")
    assert [(each.enabled, each.value) for each in FeatureState.objects.all()] == [(False, "blue")] * 2


def test_options_inside_a_feature_are_for_the_projects_administrators(editor, admin_client, url, feature):
    one = f"{url}{feature.pk}/"
    options = {"multivariate_options": [option()]}
    nothing: dict[str, list[object]] = {"multivariate_options": []}

    edited = [editor.put(one, {"description": "x", **more}, format="json") for more in ({}, nothing)]
    made = editor.post(url, {"name": "plain", "multivariate_options": []}, format="json")
    refused = [
        editor.post(url, {"name": "varied", **options}, format="json"),
        editor.put(one, options, format="json"),
    ]

    assert [each.status_code for each in (*edited, made)] == [200, 200, 201]
    assert [each.status_code for each in refused] == [403, 403]
    assert {each.json()["detail"] for each in refused} == {
        "User must be project admin to modify / create MV options."
    }
    assert not Feature.objects.filter(name="varied").exists()
    by_itself = editor.post(f"{one}mv-options/", {"feature": feature.pk, **option()}, format="json")
    assert by_itself.status_code == 201


def test_names_are_free_again_and_taken_in_any_case(admin_client, url, project):
    Project.objects.filter(pk=project.pk).update(feature_name_regex="[a-zA-Z]+")
    first = admin_client.post(url, {"name": "Checkout"}).json()

    taken = admin_client.post(url, {"name": "cHECKOUT"})
    unfit = [admin_client.post(url, {"name": name}).status_code for name in ("Checkout2", "2Checkout")]
    admin_client.delete(f"{url}{first['id']}/")
    free = admin_client.post(url, {"name": "checkout"})

    assert (taken.status_code, unfit, free.status_code) == (400, [400, 400], 201)


def test_the_type_is_one_of_two_and_follows_the_options(admin_client, url):
    unknown = admin_client.post(url, {"name": "a", "type": "CONFIG"})
    varied = admin_client.post(
        url, {"name": "b", "type": "STANDARD", "multivariate_options": [option()]}, format="json"
    )
    (only,) = varied.json()["multivariate_options"]
    admin_client.delete(f"{url}{varied.json()['id']}/mv-options/{only['id']}/")

    assert (unknown.status_code, list(unknown.json())) == (400, ["type"])
    assert varied.json()["type"] == "MULTIVARIATE"
    assert admin_client.get(f"{url}{varied.json()['id']}/").json()["type"] == "STANDARD"


def test_keys_of_options_are_slugs_each_once_and_not_control(admin_client, url, feature):
    options = f"{url}{feature.pk}/mv-options/"

    def send(key: object, method: str = "post", path: str = options):
        return getattr(admin_client, method)(
            path, {"feature": feature.pk, **option(5, key=key)}, format="json"
        )

    made = send("red")
    one = f"{options}{made.json()['id']}/"
    refused = {key: send(key) for key in ("control", "red", "", "two words")}
    unnamed = [send(None).status_code for _ in range(3)]
    kept = send("red", "put", one)
    nested = {"multivariate_options": [option(5, id=made.json()["id"], key="green")]}
    inside = admin_client.patch(f"{url}{feature.pk}/", nested, format="json")

    assert {each.status_code for each in refused.values()} == {400}
    assert {tuple(each.json()) for each in refused.values()} == {("key",)}
    assert refused["control"].json() == {"key": ['"control" is a reserved variant key.']}
    assert refused["red"].json() == {
        "key": ["Multivariate option with this key already exists for the feature."]
    }
    assert (made.status_code, unnamed, kept.status_code) == (201, [201] * 3, 200)
    assert [each["key"] for each in inside.json()["multivariate_options"]] == ["red"]


def test_what_an_environment_gives_an_option_counts_when_another_comes(
    admin_client, url, environment, feature
):
    first = make_option(feature, "red", 30)
    default_state(feature, environment).multivariate_feature_state_values.update(percentage_allocation=95)

    answer = admin_client.post(
        f"{url}{feature.pk}/mv-options/", {"feature": feature.pk, **option(10)}, format="json"
    )

    assert (answer.status_code, answer.json()) == (
        400,
        {"default_percentage_allocation": ["Invalid percentage allocation"]},
    )
    assert list(feature.multivariate_options.all()) == [first]


def test_weights_are_added_up_when_all_are_written(admin_client, url, feature):
    first, second = make_option(feature, "red", 90), make_option(feature, "green", 10)
    swapped = {"multivariate_options": [option(10, id=first.pk), option(90, id=second.pk)]}
    too_much = {"multivariate_options": [option(90, id=first.pk), option(11, id=second.pk)]}

    assert admin_client.patch(f"{url}{feature.pk}/", swapped, format="json").status_code == 200
    assert admin_client.patch(f"{url}{feature.pk}/", too_much, format="json").status_code == 400


def test_overridden_features_come_first_and_each_half_is_sorted(admin_client, url, project, environment):
    features = {name: make_feature(project, name=name) for name in ("d", "a", "c", "b")}
    segment = make_segment(project)
    identity = Identity.objects.create(environment=environment, identifier="kim")
    for name in ("c", "b"):
        make_segment_override(features[name], environment, segment)
        make_identity_override(features[name], identity)

    def listed(**query: object) -> list[dict[str, object]]:
        answer = admin_client.get(url, {"environment": environment.pk, "sort_field": "name", **query})
        return list(answer.json()["results"])

    for query in ({"segment": segment.pk}, {"identity": identity.pk}):
        assert [each["name"] for each in listed(**query)] == ["b", "c", "a", "d"]
        backwards = listed(**query, sort_direction="DESC")
        assert [each["name"] for each in backwards] == ["c", "b", "d", "a"]
    unknown = listed(segment=999_999)
    assert [each["name"] for each in unknown] == ["a", "b", "c", "d"]
    assert {each["segment_feature_state"] for each in unknown} == {None}


def test_what_is_not_served_any_more_is_not_counted(admin_client, url, project, environment, feature):
    overrides = [make_segment_override(feature, environment, make_segment(project)) for _ in range(3)]
    make_identity_override(feature, Identity.objects.create(environment=environment, identifier="kim"))
    places = [override.feature_segment for override in overrides if override.feature_segment]
    overrides[0].delete()
    places[0].delete()
    # As what a version served that was replaced.
    FeatureState.objects.filter(pk=overrides[1].pk).update(is_live=False)
    FeatureSegment.objects.filter(pk=places[1].pk).update(is_live=False)

    with_environment = admin_client.get(f"{url}{feature.pk}/", {"environment": environment.pk}).json()
    without = admin_client.get(f"{url}{feature.pk}/").json()

    numbers = ("num_segment_overrides", "num_identity_overrides")
    assert [with_environment[each] for each in numbers] == [1, 1]
    assert [without[each] for each in numbers] == [0, None]


def test_whoever_creates_a_feature_owns_it_unless_owners_are_named(admin_client, admin, url, project, member):
    grant(member, project, "VIEW_PROJECT")

    def owners(**body: object) -> list[int]:
        made = admin_client.post(url, {"name": f"f{Feature.objects.count()}", **body}, format="json")
        return [each["id"] for each in made.json()["owners"]]

    assert owners() == [admin.pk]
    assert owners(owners=[member.pk]) == [member.pk]
    assert owners(owners=[]) == []


def test_one_kind_of_owner_is_enough_and_the_last_one_stays(
    admin_client, url, project, organisation, feature, admin, stranger
):
    Project.objects.filter(pk=project.pk).update(enforce_feature_owners=True)
    group = make_group(organisation)
    foreign = make_group(stranger.memberships.get().organisation)
    feature.owners.add(admin)
    feature.group_owners.add(group)

    def send(action: str, **body: list[int]) -> tuple[int, object]:
        answer = admin_client.post(f"{url}{feature.pk}/{action}/", body)
        return answer.status_code, answer.json()

    assert send("add-owners", user_ids=[stranger.pk]) == (400, {"non_field_errors": ["Some users not found"]})
    assert send("add-group-owners", group_ids=[foreign.pk]) == (400, ["Some groups not found"])
    assert send("remove-owners", user_ids=[admin.pk])[0] == 200
    assert send("remove-group-owners", group_ids=[group.pk]) == (
        400,
        ["This project requires at least one owner or group owner per feature."],
    )
