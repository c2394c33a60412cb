"""Feature states over HTTP: of an environment, of an identity, and of everything at once."""

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
from projects.models import Project
from segments.tests.factories import make_segment

ALL_STATES = "/api/v1/features/featurestates/"


def states_url(environment: Environment, state: FeatureState | None = None) -> str:
    one = f"{state.pk}/" if state else ""
    return f"/api/v1/environments/{environment.api_key}/featurestates/{one}"


def overrides_url(identity: Identity, state: FeatureState | None = None) -> str:
    one = f"{state.pk}/" if state else ""
    key = identity.environment.api_key
    return f"/api/v1/environments/{key}/identities/{identity.pk}/featurestates/{one}"


def logs() -> list[str]:
    return list(AuditRecord.objects.order_by("pk").values_list("log", flat=True))


@pytest.fixture
def state(feature, environment) -> FeatureState:
    return default_state(feature, environment)


@pytest.fixture
def identity(environment) -> Identity:
    return Identity.objects.create(environment=environment, identifier="kim")


@pytest.fixture
def foreign_environment(db) -> Environment:
    project = Project.objects.create(
        organisation=Organisation.objects.create(name="Elsewhere"), name="Foreign"
    )
    return Environment.objects.create(project=project, name="Foreign")


@pytest.fixture
def foreign_feature(foreign_environment) -> Feature:
    return make_feature(foreign_environment.project)


class TestStatesOfAnEnvironment:
    def test_a_state_is_shown_whole(self, admin_client, environment, feature, state):
        option = make_option(feature, "red", 25)
        allocation = option.allocations.get()

        shown = admin_client.get(states_url(environment, state)).json()

        state.refresh_from_db()
        assert shown == {
            "id": state.pk,
            "uuid": str(state.uuid),
            "feature": feature.pk,
            "environment": environment.pk,
            "identity": None,
            "feature_segment": None,
            "enabled": False,
            "feature_state_value": "blue",
            "multivariate_feature_state_values": [
                {
                    "id": allocation.pk,
                    "multivariate_feature_option": option.pk,
                    "percentage_allocation": 25.0,
                }
            ],
            "created_at": state.created_at.isoformat().replace("+00:00", "Z"),
            "updated_at": state.updated_at.isoformat().replace("+00:00", "Z"),
            "live_from": state.live_from.isoformat().replace("+00:00", "Z"),
            "deleted_at": None,
            "version": 1,
            "change_request": None,
            "environment_feature_version": None,
        }

    def test_the_list_has_defaults_and_with_any_identity_overrides_of_identities(
        self, admin_client, project, environment, feature, state, identity
    ):
        override = make_identity_override(feature, identity)
        make_segment_override(feature, environment, make_segment(project))

        defaults = admin_client.get(states_url(environment)).json()
        overrides = admin_client.get(states_url(environment), {"anyIdentity": ""}).json()

        assert [each["id"] for each in defaults["results"]] == [state.pk]
        assert [each["id"] for each in overrides["results"]] == [override.pk]
        assert overrides["results"][0]["identity"] == {"id": identity.pk, "identifier": "kim"}

    def test_the_list_is_narrowed_to_a_feature(self, admin_client, project, environment, feature, state):
        make_feature(project)

        by_id = admin_client.get(states_url(environment), {"feature": feature.pk}).json()
        by_name = admin_client.get(states_url(environment), {"feature_name": feature.name}).json()

        assert [each["id"] for each in by_id["results"]] == [state.pk]
        assert [each["id"] for each in by_name["results"]] == [state.pk]

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            (True, True),
            (False, False),
            (5, 5),
            ("5", "5"),
            ("", ""),
            (None, None),
            (1.5, "1.5"),
            ({"a": 1}, '{"a": 1}'),
            (-(2**31), -(2**31)),
            ("‮שלום", "‮שלום"),
        ],
    )
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_a_value_keeps_its_type(self, admin_client, environment, state, method, sent, stored):
        response = getattr(admin_client, method)(
            states_url(environment, state), {"feature_state_value": sent}, format="json"
        )

        assert response.status_code == 200
        value = response.json()["feature_state_value"]
        assert (type(value), value) == (type(stored), stored)

    @pytest.mark.parametrize("value", [2**31, "x" * 20_001, "nul \0"])
    def test_a_value_that_cannot_be_kept_is_refused(self, admin_client, environment, state, value):
        response = admin_client.put(
            states_url(environment, state), {"feature_state_value": value}, format="json"
        )

        assert response.status_code == 400
        assert list(response.json()) == ["feature_state_value"]
        assert default_state(state.feature, environment).value == "blue"

    def test_a_put_changes_only_what_it_names(self, admin_client, environment, state):
        response = admin_client.put(states_url(environment, state), {"enabled": True}, format="json")

        assert (response.json()["enabled"], response.json()["feature_state_value"]) == (True, "blue")

    def test_each_property_that_changes_is_recorded_and_nothing_else(self, admin_client, environment, state):
        body = {"enabled": True, "feature_state_value": "red"}

        for _ in range(2):
            admin_client.put(states_url(environment, state), body, format="json")

        assert logs() == [
            "Flag state updated for feature: new_checkout",
            "Remote config value updated for feature: new_checkout",
        ]
        assert [record.changes for record in AuditRecord.objects.order_by("pk")] == [
            [{"field": "enabled", "old": False, "new": True}],
            [{"field": "feature_state_value", "old": "blue", "new": "red"}],
        ]

    def test_shares_are_replaced_and_keep_their_rows(self, admin_client, environment, feature, state):
        first, second = make_option(feature, "red", 50), make_option(feature, "green", 50)
        rows = [option.allocations.get().pk for option in (first, second)]
        third = make_option(feature, "black", 0)
        # In another order, and without the third: its row goes, the others stay where they were.
        shares = [
            {"multivariate_feature_option": second.pk, "percentage_allocation": 90},
            {"multivariate_feature_option": first.pk, "percentage_allocation": 10},
        ]

        response = admin_client.put(
            states_url(environment, state), {"multivariate_feature_state_values": shares}, format="json"
        )

        assert response.json()["multivariate_feature_state_values"] == [
            {"id": rows[0], "multivariate_feature_option": first.pk, "percentage_allocation": 10.0},
            {"id": rows[1], "multivariate_feature_option": second.pk, "percentage_allocation": 90.0},
        ]
        assert logs() == ["Multivariate value changed for feature 'new_checkout'."]
        assert not third.allocations.exists()

    @pytest.mark.parametrize(
        ("percentages", "reason"),
        [
            ((60, 60), {"non_field_errors": ["Multivariate percentage values exceed 100%."]}),
            ((101, 0), "Invalid percentage allocation"),
            ((-1, 0), "Invalid percentage allocation"),
            (("NaN", 0), "A valid number is required."),
        ],
    )
    def test_shares_that_cannot_be_are_refused(
        self, admin_client, environment, feature, state, percentages, reason
    ):
        options = [make_option(feature, "red", 50), make_option(feature, "green", 50)]
        shares = [
            {"multivariate_feature_option": option.pk, "percentage_allocation": percentage}
            for option, percentage in zip(options, percentages, strict=True)
        ]

        response = admin_client.put(
            states_url(environment, state),
            {"multivariate_feature_state_values": shares, "enabled": True},
            format="json",
        )

        assert response.status_code == 400
        assert response.json() == reason or reason in response.content.decode()
        assert not default_state(feature, environment).enabled

    def test_a_variant_of_another_feature_is_refused(self, admin_client, environment, state, foreign_feature):
        option = make_option(foreign_feature, "red", 10)
        shares = [{"multivariate_feature_option": option.pk, "percentage_allocation": 10}]

        response = admin_client.put(
            states_url(environment, state), {"multivariate_feature_state_values": shares}, format="json"
        )

        assert response.status_code == 400

    @pytest.mark.parametrize("field", ["feature", "environment"])
    def test_a_state_cannot_be_moved(self, admin_client, environment, state, field):
        moved = admin_client.put(states_url(environment, state), {field: 999_999}, format="json")
        emptied = admin_client.put(states_url(environment, state), {field: None}, format="json")
        kept = admin_client.put(
            states_url(environment, state), {field: getattr(state, f"{field}_id")}, format="json"
        )

        assert moved.json() == {field: [f"Cannot change the {field} of a feature state"]}
        assert [emptied.status_code, kept.status_code] == [400, 200]

    def test_a_default_can_be_deleted_and_made_again(self, admin_client, environment, feature, state):
        deleted = admin_client.delete(states_url(environment, state))
        made = admin_client.post(
            states_url(environment), {"feature": feature.pk, "enabled": True}, format="json"
        )
        again = admin_client.post(states_url(environment), {"feature": feature.pk}, format="json")

        assert [deleted.status_code, made.status_code, again.status_code] == [204, 201, 400]
        assert (made.json()["enabled"], made.json()["feature_state_value"]) == (True, "blue")

    def test_an_override_is_made_for_an_identity_by_id_or_identifier(
        self, admin_client, project, environment, feature, identity
    ):
        other = make_feature(project)

        by_id = admin_client.post(
            states_url(environment),
            {"feature": feature.pk, "identity": identity.pk, "environment": 999_999},
            format="json",
        )
        by_identifier = admin_client.post(
            states_url(environment), {"feature": other.pk, "identifier": "kim"}, format="json"
        )

        assert [by_id.status_code, by_identifier.status_code] == [201, 201]
        assert by_id.json()["identity"] == by_identifier.json()["identity"] == identity.pk
        assert by_id.json()["environment"] == environment.pk

    def test_what_a_new_state_names_must_be_there_and_ones_own(
        self, admin_client, environment, feature, foreign_feature, foreign_environment
    ):
        stranger = Identity.objects.create(environment=foreign_environment, identifier="theirs")
        place = make_segment_override(
            foreign_feature, foreign_environment, make_segment(foreign_environment.project)
        )

        def refusal(body: dict) -> tuple[int, object]:
            response = admin_client.post(states_url(environment), body, format="json")
            return response.status_code, response.json()

        assert refusal({}) == (400, {"detail": "Feature not provided", "code": "feature_not_provided"})
        assert refusal({"feature": foreign_feature.pk})[0] == 403
        assert refusal({"feature": 999_999})[0] == 403
        assert refusal({"feature": feature.pk, "identity": stranger.pk}) == (
            400,
            {"identity": ["Identity does not exist in environment."]},
        )
        assert refusal({"feature": feature.pk, "identifier": "theirs"}) == (
            400,
            {"non_field_errors": ["Invalid identifier"]},
        )
        assert refusal({"feature": feature.pk, "feature_segment": place.feature_segment_id}) == (
            400,
            {"non_field_errors": ["Feature Segment does not belong to environment."]},
        )

    def test_of_others_are_forbidden(self, client_of, stranger, environment, state):
        client = client_of(stranger)

        assert client.get(states_url(environment)).status_code == 403
        assert client.put(states_url(environment, state), {"enabled": True}).status_code == 403
        assert client.get("/api/v1/environments/unknown/featurestates/").status_code == 403

    def test_of_another_environment_are_not_found(self, admin_client, project, state):
        sibling = Environment.objects.create(project=project, name="Sibling")

        assert admin_client.put(states_url(sibling, state), {"enabled": True}).status_code == 404


class TestIdentityOverrides:
    def test_are_made_changed_and_deleted(self, admin_client, feature, identity):
        body = {"feature": feature.pk, "enabled": True, "feature_state_value": 5}

        made = admin_client.post(overrides_url(identity), body, format="json")
        override = FeatureState.objects.get(identity=identity)
        changed = admin_client.put(
            overrides_url(identity, override), {"enabled": False, "feature_state_value": 6}, format="json"
        )
        listed = admin_client.get(overrides_url(identity)).json()
        deleted = admin_client.delete(overrides_url(identity, override))

        assert [made.status_code, changed.status_code, deleted.status_code] == [201, 200, 204]
        assert (changed.json()["enabled"], changed.json()["feature_state_value"]) == (False, 6)
        assert listed["results"][0]["identity"] == {"id": identity.pk, "identifier": "kim"}
        assert logs() == [
            "Identity override created for feature 'new_checkout' and identity 'kim'",
            "Flag state / Remote config value updated for feature 'new_checkout' and identity 'kim'",
            "Remote config value updated for identity override on feature 'new_checkout' and identity 'kim'.",
            "Flag state / Remote config value deleted for feature 'new_checkout' and identity 'kim'",
        ]

    def test_there_is_one_for_a_feature(self, admin_client, feature, identity):
        make_identity_override(feature, identity)

        response = admin_client.post(overrides_url(identity), {"feature": feature.pk}, format="json")

        assert response.status_code == 400
        assert response.json() == {
            "non_field_errors": ["The feature already has an override for this identity."]
        }

    def test_start_with_the_features_value(self, admin_client, feature, identity):
        response = admin_client.post(overrides_url(identity), {"feature": feature.pk}, format="json")

        assert (response.json()["enabled"], response.json()["feature_state_value"]) == (False, "blue")

    def test_may_have_shares_of_variants(self, admin_client, feature, identity):
        option = make_option(feature, "red", 10)
        shares = [{"multivariate_feature_option": option.pk, "percentage_allocation": 100}]

        response = admin_client.post(
            overrides_url(identity),
            {"feature": feature.pk, "multivariate_feature_state_values": shares},
            format="json",
        )

        assert response.status_code == 201
        assert response.json()["multivariate_feature_state_values"][0]["percentage_allocation"] == 100

    def test_of_an_identity_elsewhere_are_not_found(
        self, admin_client, environment, foreign_environment, feature
    ):
        stranger = Identity.objects.create(environment=foreign_environment, identifier="theirs")
        url = f"/api/v1/environments/{environment.api_key}/identities/{stranger.pk}/featurestates/"

        assert admin_client.get(url).status_code == 404
        assert admin_client.post(url, {"feature": feature.pk}, format="json").status_code == 404


class TestAllStates:
    def test_the_list_has_every_kind_with_typed_values(
        self, admin_client, project, environment, feature, state, identity
    ):
        override = make_identity_override(feature, identity, value=True)
        of_segment = make_segment_override(feature, environment, make_segment(project), value=5)

        results = admin_client.get(ALL_STATES, {"environment": environment.pk}).json()["results"]
        narrowed = admin_client.get(
            ALL_STATES, {"environment": environment.pk, "feature_segment": of_segment.feature_segment_id}
        ).json()["results"]

        def value(type_: str, **columns: object) -> dict[str, object]:
            empty = {"string_value": None, "integer_value": None, "boolean_value": None}
            return {"type": type_, **empty, **columns}

        assert [(each["id"], each["feature_state_value"]) for each in results] == [
            (state.pk, value("unicode", string_value="blue")),
            (override.pk, value("bool", boolean_value=True)),
            (of_segment.pk, value("int", integer_value=5)),
        ]
        assert [each["identity"] for each in results] == [None, identity.pk, None]
        assert [each["id"] for each in narrowed] == [of_segment.pk]

    def test_an_environment_must_be_named_and_ones_own(self, admin_client, foreign_environment):
        assert admin_client.get(ALL_STATES).status_code == 400
        assert admin_client.get(ALL_STATES, {"environment": foreign_environment.pk}).status_code == 403
        assert admin_client.get(ALL_STATES, {"environment": "x"}).status_code == 400

    def test_a_segment_override_is_made_for_a_place_that_is_there(
        self, admin_client, project, environment, feature
    ):
        segment = make_segment(project)
        place = admin_client.post(
            "/api/v1/features/feature-segments/",
            {"feature": feature.pk, "segment": segment.pk, "environment": environment.pk},
        ).json()
        body = {
            "feature": feature.pk,
            "environment": environment.pk,
            "feature_segment": place["id"],
            "enabled": True,
            "feature_state_value": {"type": "int", "integer_value": 7},
        }

        made = admin_client.post(ALL_STATES, body, format="json")
        again = admin_client.post(ALL_STATES, body, format="json")

        assert made.status_code == 201, made.content
        assert made.json()["feature_segment"] == place["id"]
        assert made.json()["feature_state_value"]["integer_value"] == 7
        assert again.status_code == 400
        assert logs() == [f"Segment override created for feature 'new_checkout' and segment '{segment.name}'"]

    def test_a_put_changes_a_segment_override(self, admin_client, project, environment, feature):
        segment = make_segment(project)
        state = make_segment_override(feature, environment, segment, value="a")
        body = {
            "id": state.pk,
            "feature": feature.pk,
            "environment": environment.pk,
            "feature_segment": state.feature_segment_id,
            "enabled": True,
            "feature_state_value": {"type": "bool", "string_value": None, "boolean_value": True},
            "multivariate_feature_state_values": [],
        }

        response = admin_client.put(f"{ALL_STATES}{state.pk}/", body, format="json")

        assert response.status_code == 200
        state.refresh_from_db()
        assert (state.enabled, state.value, state.string_value) == (True, True, None)
        assert logs() == [
            "Flag state / Remote config value updated for feature 'new_checkout' "
            f"and segment '{segment.name}'",
            f"Remote config updated for segment override on feature 'new_checkout' "
            f"and segment '{segment.name}'.",
        ]

    @pytest.mark.parametrize("field", ["feature", "environment"])
    def test_a_put_names_feature_and_environment_and_moves_nothing(
        self, admin_client, environment, feature, state, field
    ):
        body = {"feature": feature.pk, "environment": environment.pk}

        without = admin_client.put(
            f"{ALL_STATES}{state.pk}/", {k: v for k, v in body.items() if k != field}, format="json"
        )
        moved = admin_client.put(f"{ALL_STATES}{state.pk}/", {**body, field: 999_999}, format="json")

        assert without.json() == {field: ["This field is required."]}
        assert moved.json() == {field: [f"Cannot change the {field} of a feature state"]}

    def test_a_feature_of_another_project_is_refused(self, admin_client, environment, foreign_feature):
        response = admin_client.post(
            ALL_STATES, {"feature": foreign_feature.pk, "environment": environment.pk}, format="json"
        )

        assert response.status_code == 400
        assert response.json() == {"feature": ["Feature does not exist in project"]}

    def test_without_a_value_it_is_the_features(self, admin_client, environment, feature, identity):
        response = admin_client.post(
            ALL_STATES,
            {"feature": feature.pk, "environment": environment.pk, "identity": identity.pk},
            format="json",
        )

        assert response.json()["feature_state_value"]["string_value"] == "blue"

    def test_are_found_by_uuid_and_not_by_id(self, admin_client, client_of, stranger, state):
        url = f"{ALL_STATES}get-by-uuid/{state.uuid}/"

        assert admin_client.get(url).json()["id"] == state.pk
        assert client_of(stranger).get(url).status_code == 404
        assert admin_client.get(f"{ALL_STATES}{state.pk}/").status_code == 405

    def test_of_others_are_out_of_reach(self, client_of, stranger, environment, feature, state):
        client = client_of(stranger)
        body = {"feature": feature.pk, "environment": environment.pk, "enabled": True}

        assert client.put(f"{ALL_STATES}{state.pk}/", body, format="json").status_code == 404
        assert client.post(ALL_STATES, body, format="json").status_code == 403

    def test_drafts_and_deleted_states_never_show(self, admin_client, environment, feature, state):
        FeatureState.objects.create(feature=feature, environment=environment, is_live=False)
        gone = make_feature(environment.project)
        gone.delete()

        results = admin_client.get(ALL_STATES, {"environment": environment.pk}).json()["results"]

        assert [each["id"] for each in results] == [state.pk]
