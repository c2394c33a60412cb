"""`projects/{id}/features/`: what clients may ask and say of features."""

import pytest

from audit.models import AuditRecord
from environments.models import Environment
from features.models import Feature, FeatureState
from features.tests.factories import (
    default_state,
    make_feature,
    make_identity_override,
    make_option,
    make_segment_override,
)
from identities.models import Identity
from organisations.models import Organisation
from permissions.tests.factories import grant, make_group
from projects.models import Project, Tag
from segments.tests.factories import make_segment


def features_url(project: Project, feature: Feature | None = None, action: str = "") -> str:
    one = f"{feature.pk}/" if feature else ""
    return f"/api/v1/projects/{project.pk}/features/{one}{action}"


@pytest.fixture
def other_project(db) -> Project:
    """A project of another organisation."""
    return Project.objects.create(organisation=Organisation.objects.create(name="Elsewhere"), name="Other")


@pytest.fixture
def query(admin_client, project):
    """Return the names of the features that a list with these parameters has."""

    def names(**parameters: object) -> list[str]:
        response = admin_client.get(features_url(project), parameters)
        assert response.status_code == 200, response.content
        return [feature["name"] for feature in response.json()["results"]]

    return names


class TestCreating:
    def test_gives_every_environment_a_state_and_writes_a_record_for_each(
        self, admin_client, project, environment
    ):
        body = {"name": "checkout", "initial_value": "10", "default_enabled": True, "description": "New"}

        response = admin_client.post(features_url(project), body)

        assert response.status_code == 201
        feature = Feature.objects.get()
        state = default_state(feature, environment)
        assert (state.enabled, state.value) == (True, 10)
        records = AuditRecord.objects.order_by("pk").values_list("log", "related_object_type", "environment")
        assert list(records) == [
            ("New Flag / Remote Config created: checkout", "FEATURE", None),
            ("New Flag / Remote Config created: checkout", "FEATURE_STATE", environment.pk),
        ]

    def test_answers_the_whole_feature(self, admin_client, admin, project):
        response = admin_client.post(features_url(project), {"name": "checkout"})

        feature = Feature.objects.get()
        assert response.json() == {
            "id": feature.pk,
            "name": "checkout",
            "type": "STANDARD",
            "default_enabled": False,
            "initial_value": None,
            "created_date": feature.created_date.isoformat().replace("+00:00", "Z"),
            "description": None,
            "tags": [],
            "multivariate_options": [],
            "is_archived": False,
            "owners": [
                {
                    "id": admin.pk,
                    "email": admin.email,
                    "first_name": admin.first_name,
                    "last_name": "",
                    "last_login": None,
                    "uuid": str(admin.uuid),
                }
            ],
            "group_owners": [],
            "uuid": str(feature.uuid),
            "project": project.pk,
            "environment_feature_state": None,
            "segment_feature_state": None,
            "num_segment_overrides": 0,
            "num_identity_overrides": None,
            "is_num_identity_overrides_complete": True,
            "is_server_key_only": False,
            "last_modified_in_any_environment": None,
            "last_modified_in_current_environment": None,
            "metadata": [],
            "code_references_counts": [],
        }

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [(False, "False"), (True, "True"), (5, "5"), (1.5, "1.5"), (" x ", " x "), ("", "")],
    )
    def test_takes_an_initial_value_by_its_text(self, admin_client, project, sent, stored):
        response = admin_client.post(
            features_url(project), {"name": "f", "initial_value": sent}, format="json"
        )

        assert response.json()["initial_value"] == stored

    def test_options_make_it_multivariate_and_give_states_their_shares(
        self, admin_client, project, environment
    ):
        options = [
            {"type": "unicode", "string_value": "red", "default_percentage_allocation": 30},
            {"type": "int", "integer_value": 7, "string_value": "x", "default_percentage_allocation": 70},
        ]

        response = admin_client.post(
            features_url(project),
            {"name": "f", "type": "STANDARD", "multivariate_options": options},
            format="json",
        )

        assert response.json()["type"] == "MULTIVARIATE"
        answered = [
            (option["type"], option["string_value"], option["integer_value"], option["key"])
            for option in response.json()["multivariate_options"]
        ]
        assert answered == [("unicode", "red", None, None), ("int", None, 7, None)]
        state = default_state(Feature.objects.get(), environment)
        shares = state.multivariate_feature_state_values.values_list("percentage_allocation", flat=True)
        assert list(shares) == [30, 70]

    def test_options_of_more_than_100_percent_are_refused(self, admin_client, project):
        options = [{"string_value": name, "default_percentage_allocation": 60} for name in ("a", "b")]

        response = admin_client.post(
            features_url(project), {"name": "f", "multivariate_options": options}, format="json"
        )

        assert response.status_code == 400
        assert response.json() == {"multivariate_options": ["Invalid percentage allocation"]}
        assert not Feature.objects.exists()

    def test_a_name_is_taken_whatever_its_case(self, admin_client, project, feature):
        response = admin_client.post(features_url(project), {"name": feature.name.upper()})

        assert response.status_code == 400
        assert response.json() == {
            "name": [
                "Feature with that name already exists for this project. "
                "Note that feature names are case insensitive."
            ]
        }

    def test_the_name_of_a_deleted_feature_is_free(self, admin_client, project, feature):
        admin_client.delete(features_url(project, feature))

        assert admin_client.post(features_url(project), {"name": feature.name}).status_code == 201

    @pytest.mark.parametrize(("name", "status"), [("team_a", 201), ("a_team_a", 400), ("team_a2", 400)])
    def test_a_name_matches_the_whole_of_the_projects_pattern(self, admin_client, project, name, status):
        Project.objects.filter(pk=project.pk).update(feature_name_regex="team_[a-z]+")

        response = admin_client.post(features_url(project), {"name": name})

        assert response.status_code == status
        if status == 400:
            assert response.json() == {"name": ["Feature name must match regex: team_[a-z]+"]}

    def test_a_hostile_pattern_costs_no_time(self, admin_client, project):
        Project.objects.filter(pk=project.pk).update(feature_name_regex="(a+)+b")

        assert admin_client.post(features_url(project), {"name": "a" * 2000}).status_code == 400

    def test_owners_replace_the_creator(self, admin_client, project, member):
        grant(member, project, "VIEW_PROJECT")

        response = admin_client.post(features_url(project), {"name": "f", "owners": [member.pk]})

        assert [owner["id"] for owner in response.json()["owners"]] == [member.pk]

    def test_nobody_owns_it_who_may_not_see_it(self, admin_client, project, stranger):
        response = admin_client.post(features_url(project), {"name": "f", "owners": [stranger.pk]})

        assert response.status_code == 400
        assert response.json() == {
            "owners": [f"Users with ids [{stranger.pk}] do not have access to this project."]
        }

    def test_groups_own_it_from_the_start(self, admin_client, project, organisation, stranger):
        Project.objects.filter(pk=project.pk).update(enforce_feature_owners=True)
        group, foreign = (
            make_group(each) for each in (organisation, stranger.memberships.get().organisation)
        )

        made = admin_client.post(features_url(project), {"name": "f", "group_owners": [group.pk]})
        refused = admin_client.post(features_url(project), {"name": "g", "group_owners": [foreign.pk]})

        assert made.json()["group_owners"] == [{"id": group.pk, "name": "Developers"}]
        assert refused.json() == {
            "group_owners": [f"Groups with ids [{foreign.pk}] do not belong to this project's organisation."]
        }

    def test_a_project_may_want_owners(self, admin_client, project):
        Project.objects.filter(pk=project.pk).update(enforce_feature_owners=True)

        response = admin_client.post(features_url(project), {"name": "f"})

        assert response.json() == {
            "non_field_errors": [
                "This project requires at least one owner or group owner when creating a feature."
            ]
        }

    def test_tags_are_of_its_own_project(self, admin_client, project, other_project):
        tag = Tag.objects.create(project=other_project, label="foreign")

        response = admin_client.post(features_url(project), {"name": "f", "tags": [tag.pk]})

        assert response.status_code == 400
        assert response.json() == {
            "non_field_errors": ["Selected Tags must be from the same Project as current Feature"]
        }

    def test_prevented_defaults_start_disabled_and_empty(self, admin_client, project, environment):
        Project.objects.filter(pk=project.pk).update(prevent_flag_defaults=True)

        admin_client.post(features_url(project), {"name": "f", "initial_value": "x", "default_enabled": True})

        state = default_state(Feature.objects.get(), environment)
        assert (state.enabled, state.value) == (False, None)


class TestChanging:
    def test_what_it_starts_with_is_ignored(self, admin_client, project, environment, feature):
        body = {
            "name": "other",
            "default_enabled": True,
            "initial_value": "red",
            "owners": [],
            "description": "Changed",
        }

        response = admin_client.put(features_url(project, feature), body, format="json")

        assert response.status_code == 200
        assert (response.json()["name"], response.json()["initial_value"]) == ("new_checkout", "blue")
        assert response.json()["description"] == "Changed"
        assert not default_state(feature, environment).enabled

    def test_writes_one_record_with_what_changed_and_none_when_nothing_did(
        self, admin_client, project, feature
    ):
        tag = Tag.objects.create(project=project, label="beta")
        body = {"description": "Changed", "tags": [tag.pk]}

        for _ in range(2):
            admin_client.patch(features_url(project, feature), body, format="json")

        record = AuditRecord.objects.get()
        assert record.log == "Flag / Remote Config updated: new_checkout"
        assert record.changes == [
            {"field": "description", "old": None, "new": "Changed"},
            {"field": "tags", "old": [], "new": [tag.pk]},
        ]

    def test_options_are_changed_made_and_deleted_to_what_is_sent(self, admin_client, project, feature):
        kept, gone = make_option(feature, "red", 60), make_option(feature, "green", 40)
        options = [
            {"id": kept.pk, "string_value": "crimson", "default_percentage_allocation": 20, "key": "x"},
            {"type": "bool", "boolean_value": True, "default_percentage_allocation": 40},
        ]

        response = admin_client.patch(
            features_url(project, feature), {"multivariate_options": options}, format="json"
        )

        answered = response.json()["multivariate_options"]
        assert answered[0]["id"] == kept.pk
        assert gone.pk not in [option["id"] for option in answered]
        assert [(o["string_value"], o["boolean_value"], o["key"]) for o in answered] == [
            ("crimson", None, None),
            (None, True, None),
        ]

    def test_weights_can_be_swapped(self, admin_client, project, feature):
        first, second = make_option(feature, "red", 90), make_option(feature, "green", 10)
        options = [
            {"id": first.pk, "string_value": "red", "default_percentage_allocation": 10},
            {"id": second.pk, "string_value": "green", "default_percentage_allocation": 90},
        ]

        response = admin_client.patch(
            features_url(project, feature), {"multivariate_options": options}, format="json"
        )

        assert response.status_code == 200

    def test_an_option_of_another_feature_is_left_alone(self, admin_client, project, feature):
        foreign = make_option(make_feature(project), "theirs", 10)
        options = [{"id": foreign.pk, "string_value": "mine", "default_percentage_allocation": 10}]

        response = admin_client.patch(
            features_url(project, feature), {"multivariate_options": options}, format="json"
        )

        foreign.refresh_from_db()
        assert foreign.value == "theirs"
        assert response.json()["multivariate_options"][0]["id"] != foreign.pk

    def test_the_type_follows_the_options(self, admin_client, project, feature):
        make_option(feature, "red", 10)

        kept = admin_client.patch(features_url(project, feature), {"type": "STANDARD"})
        emptied = admin_client.patch(
            features_url(project, feature), {"multivariate_options": []}, format="json"
        )

        assert [kept.json()["type"], emptied.json()["type"]] == ["MULTIVARIATE", "STANDARD"]


class TestDeleting:
    def test_takes_states_overrides_and_segments_along(self, admin_client, project, environment, feature):
        own = make_segment(project, feature=feature)
        make_segment_override(feature, environment, own)

        response = admin_client.delete(features_url(project, feature))

        assert response.status_code == 204
        assert not FeatureState.objects.exists()
        assert not project.segments.exists()
        assert AuditRecord.objects.get().log == "Flag / Remote Config Deleted: new_checkout"
        assert admin_client.get(features_url(project, feature)).status_code == 404


class TestOwners:
    def test_come_and_go(self, admin_client, project, feature, member):
        grant(member, project, "VIEW_PROJECT")
        added = admin_client.post(features_url(project, feature, "add-owners/"), {"user_ids": [member.pk]})
        removed = admin_client.post(
            features_url(project, feature, "remove-owners/"), {"user_ids": [member.pk]}
        )

        assert [owner["id"] for owner in added.json()["owners"]] == [member.pk]
        assert removed.json()["owners"] == []
        assert set(added.json()) == {
            "id",
            "name",
            "created_date",
            "description",
            "initial_value",
            "default_enabled",
            "type",
            "owners",
            "group_owners",
            "is_server_key_only",
        }

    @pytest.mark.parametrize("action", ["add-owners/", "remove-owners/"])
    def test_of_other_organisations_are_not_found(self, admin_client, project, feature, stranger, action):
        response = admin_client.post(features_url(project, feature, action), {"user_ids": [stranger.pk]})

        assert response.status_code == 400
        assert response.json() == {"non_field_errors": ["Some users not found"]}

    def test_the_last_one_stays_where_one_is_wanted(self, admin_client, project, feature, member):
        Project.objects.filter(pk=project.pk).update(enforce_feature_owners=True)
        feature.owners.add(member)

        response = admin_client.post(
            features_url(project, feature, "remove-owners/"), {"user_ids": [member.pk]}
        )

        assert response.status_code == 400
        assert response.json() == ["This project requires at least one owner or group owner per feature."]

    def test_groups_come_and_go(self, admin_client, project, feature, organisation):
        group = make_group(organisation)
        body = {"group_ids": [group.pk]}

        added = admin_client.post(features_url(project, feature, "add-group-owners/"), body)
        shown = admin_client.get(features_url(project, feature)).json()
        removed = admin_client.post(features_url(project, feature, "remove-group-owners/"), body)

        assert added.json()["group_owners"] == [{"id": group.pk, "name": "Developers"}]
        assert shown["group_owners"] == added.json()["group_owners"]
        assert removed.json()["group_owners"] == []
        updates = AuditRecord.objects.filter(log__startswith="Flag / Remote Config updated")
        assert updates[0].changes == [{"field": "group_owners", "old": [group.pk], "new": []}]

    @pytest.mark.parametrize("action", ["add-group-owners/", "remove-group-owners/"])
    def test_groups_of_other_organisations_are_not_found(
        self, admin_client, project, feature, stranger, action
    ):
        group = make_group(stranger.memberships.get().organisation)

        response = admin_client.post(features_url(project, feature, action), {"group_ids": [group.pk]})

        assert (response.status_code, response.json()) == (400, ["Some groups not found"])

    def test_a_group_is_owner_enough(self, admin_client, project, feature, organisation, member):
        Project.objects.filter(pk=project.pk).update(enforce_feature_owners=True)
        group = make_group(organisation)
        feature.owners.add(member)
        feature.group_owners.add(group)

        statuses = [
            admin_client.post(features_url(project, feature, path), body).status_code
            for path, body in [
                ("remove-owners/", {"user_ids": [member.pk]}),
                ("remove-group-owners/", {"group_ids": [group.pk]}),
            ]
        ]

        assert statuses == [200, 400]
        assert list(feature.group_owners.all()) == [group]


class TestListing:
    def test_by_name_and_date_in_both_directions(self, query, project):
        for name in ("b", "a", "c"):
            make_feature(project, name=name)

        assert query() == ["b", "a", "c"]
        assert query(sort_field="name") == ["a", "b", "c"]
        assert query(sort_field="name", sort_direction="DESC") == ["c", "b", "a"]
        assert query(sort_field="", sort_direction="DESC") == ["c", "a", "b"]

    def test_by_part_of_the_name_archived_or_not_and_type(self, query, project):
        make_feature(project, name="New_Checkout")
        make_option(make_feature(project, name="colour", is_archived=True), "red", 10)

        assert query(search="check") == ["New_Checkout"]
        assert query(is_archived="true") == ["colour"]
        assert query(is_archived="false") == ["New_Checkout"]
        assert query(is_archived="") == ["New_Checkout", "colour"]
        assert query(type="MULTIVARIATE") == ["colour"]

    def test_by_all_tags_any_tag_or_none(self, query, project):
        first, second = (Tag.objects.create(project=project, label=label) for label in ("1", "2"))
        make_feature(project, name="both").tags.set([first, second])
        make_feature(project, name="one").tags.set([first])
        make_feature(project, name="none")

        assert query(tags=f"{first.pk},{second.pk}") == ["both"]
        assert query(tags=f"{first.pk},{second.pk}", tag_strategy="UNION") == ["both", "one"]
        assert query(tags="") == ["none"]
        assert query() == ["both", "one", "none"]

    def test_tags_that_are_no_numbers_are_refused(self, admin_client, project):
        response = admin_client.get(features_url(project), {"tags": "beta"})

        assert response.status_code == 400
        assert response.json() == {"tags": ["Tag IDs must be integers."]}

    def test_by_owner(self, query, project, member):
        make_feature(project, name="owned").owners.add(member)
        make_feature(project, name="free")

        assert query(owners=str(member.pk)) == ["owned"]
        assert query(owners="") == ["owned", "free"]
        assert query(group_owners="1") == []

    def test_by_groups_beside_owners(self, query, project, member, organisation):
        group = make_group(organisation)
        make_feature(project, name="a group's").group_owners.add(group)
        make_feature(project, name="a member's").owners.add(member)
        make_feature(project, name="nobody's")

        assert query(group_owners=str(group.pk)) == ["a group's"]
        assert query(owners=str(member.pk), group_owners=str(group.pk)) == ["a group's", "a member's"]

    def test_by_how_they_are_set(self, query, project, environment):
        make_feature(project, name="text", initial_value="Blue sky", default_enabled=True)
        make_feature(project, name="number", initial_value="42")
        make_feature(project, name="yes", initial_value="true")
        elsewhere = Environment.objects.create(project=project, name="Elsewhere")
        FeatureState.objects.filter(environment=elsewhere).update(enabled=False)

        assert query(environment=environment.pk, is_enabled="true") == ["text"]
        assert query(environment=elsewhere.pk, is_enabled="true") == []
        assert query(environment=environment.pk, value_search="blue") == ["text"]
        assert query(environment=environment.pk, value_search="42") == ["number"]
        assert query(environment=environment.pk, value_search="True") == ["yes"]
        assert query(environment=environment.pk, is_enabled="", value_search="") == ["text", "number", "yes"]

    @pytest.mark.parametrize("filters", [{"is_enabled": "true"}, {"value_search": "x"}])
    def test_how_they_are_set_is_asked_of_an_environment(self, admin_client, project, filters):
        response = admin_client.get(features_url(project), filters)

        assert response.status_code == 400
        assert response.json() == [
            "Environment is required in order to filter by state search or by state enabled"
        ]

    def test_an_environment_of_another_project_is_refused(self, admin_client, project, other_project):
        foreign = Environment.objects.create(project=other_project, name="Foreign")

        response = admin_client.get(features_url(project), {"environment": foreign.pk})

        assert response.status_code == 400
        assert "environment" in response.json()

    def test_an_environment_shows_states_and_numbers_of_overrides(
        self, admin_client, project, environment, feature
    ):
        segment = make_segment(project)
        make_segment_override(feature, environment, segment, value=5)
        for name in ("kim", "noor"):
            identity = Identity.objects.create(environment=environment, identifier=name)
            make_identity_override(feature, identity)
        state, override = FeatureState.objects.order_by("pk")[:2]

        shown = admin_client.get(
            features_url(project), {"environment": environment.pk, "segment": segment.pk}
        ).json()["results"][0]

        assert shown["environment_feature_state"] == {
            "id": state.pk,
            "feature_state_value": "blue",
            "environment": environment.pk,
            "identity": None,
            "feature_segment": None,
            "enabled": False,
        }
        assert shown["segment_feature_state"]["id"] == override.pk
        assert shown["segment_feature_state"]["feature_state_value"] == 5
        assert (shown["num_segment_overrides"], shown["num_identity_overrides"]) == (1, 2)

    def test_overridden_ones_come_first(self, query, project, environment):
        features = [make_feature(project, name=name) for name in ("a", "b", "c")]
        segment = make_segment(project)
        make_segment_override(features[2], environment, segment)
        identity = Identity.objects.create(environment=environment, identifier="kim")
        make_identity_override(features[1], identity)

        assert query(environment=environment.pk, segment=segment.pk) == ["c", "a", "b"]
        assert query(environment=environment.pk, identity=identity.pk) == ["b", "a", "c"]
        assert query(environment=environment.pk, segment=999_999) == ["a", "b", "c"]

    def test_an_identity_is_a_number(self, admin_client, project, environment):
        response = admin_client.get(features_url(project), {"environment": environment.pk, "identity": "kim"})

        assert response.json() == {"identity": ["Must be a valid integer."]}

    def test_pages_may_be_chosen(self, admin_client, project):
        for _ in range(3):
            make_feature(project)

        page = admin_client.get(features_url(project), {"page": 2, "page_size": 2}).json()
        beyond = admin_client.get(features_url(project), {"page": 9})

        assert (page["count"], len(page["results"]), page["next"]) == (3, 1, None)
        assert (beyond.status_code, beyond.json()) == (404, {"detail": "Invalid page."})


class TestTenancy:
    def test_a_project_of_others_looks_empty_or_forbidden(self, client_of, stranger, project, feature):
        client = client_of(stranger)

        statuses = {
            "list": client.get(features_url(project)).status_code,
            "create": client.post(features_url(project), {"name": "x"}).status_code,
            "read": client.get(features_url(project, feature)).status_code,
            "change": client.patch(features_url(project, feature), {"description": "x"}).status_code,
            "delete": client.delete(features_url(project, feature)).status_code,
            "own": client.post(features_url(project, feature, "add-owners/"), {"user_ids": []}).status_code,
            "uuid": client.get(f"/api/v1/features/get-by-uuid/{feature.uuid}/").status_code,
        }

        assert statuses == {
            "list": 404,
            "create": 403,
            "read": 404,
            "change": 403,
            "delete": 403,
            "own": 403,
            "uuid": 404,
        }
        assert Feature.objects.count() == 1

    def test_a_feature_is_only_found_in_its_own_project(self, admin_client, organisation, feature):
        sibling = Project.objects.create(organisation=organisation, name="Sibling")

        assert admin_client.get(features_url(sibling, feature)).status_code == 404

    def test_features_are_created_by_who_may(self, client_of, member, project):
        grant(member, project, "CREATE_FEATURE")

        response = client_of(member).post(features_url(project), {"name": "f"})

        assert response.status_code == 201

    def test_nobody_is_401(self, client, project):
        assert client.get(features_url(project)).status_code == 401

    def test_found_by_uuid(self, admin_client, feature):
        shown = admin_client.get(f"/api/v1/features/get-by-uuid/{feature.uuid}/").json()

        assert shown["id"] == feature.pk
        assert "metadata" not in shown
