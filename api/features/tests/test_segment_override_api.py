"""Segment overrides over HTTP: their places, and the order they are tried in."""

from collections.abc import Callable

import pytest
from django.db import connection

from audit.models import AuditRecord
from environments.models import Environment
from features.models import FeatureSegment, FeatureState
from features.tests.factories import make_feature, make_option, make_segment_override
from organisations.models import Organisation
from projects.models import Project
from segments.tests.factories import make_segment

PLACES = "/api/v1/features/feature-segments/"
Create = Callable[..., object]


@pytest.fixture
def override_url(environment, feature) -> str:
    return f"/api/v1/environments/{environment.api_key}/features/{feature.pk}/create-segment-override/"


@pytest.fixture
def create(admin_client, override_url, project):
    """Create an override for a segment of the given name, and answer what the API did."""

    def post(name: str, **place: object):
        segment = make_segment(project, name=name)
        body = {"feature_segment": {"segment": segment.pk, **place}, "enabled": True}
        return admin_client.post(override_url, body, format="json")

    return post


@pytest.fixture
def order(environment, feature) -> Callable[[], list[tuple[str, int]]]:
    """Return the overrides' segments with their priorities, as they are tried."""

    def read() -> list[tuple[str, int]]:
        connection.check_constraints()
        places = FeatureSegment.objects.filter(feature=feature, environment=environment)
        return list(places.values_list("segment__name", "priority"))

    return read


@pytest.fixture
def foreign_environment(db) -> Environment:
    project = Project.objects.create(
        organisation=Organisation.objects.create(name="Elsewhere"), name="Foreign"
    )
    return Environment.objects.create(project=project, name="Foreign")


class TestCreating:
    def test_answers_place_and_state(self, admin_client, project, environment, feature, override_url):
        segment, option = make_segment(project), make_option(feature, "red", 30)
        body = {
            "feature_state_value": {"type": "int", "integer_value": 5},
            "enabled": True,
            "feature_segment": {"segment": segment.pk, "priority": 0},
            "multivariate_feature_state_values": [
                {"multivariate_feature_option": option.pk, "percentage_allocation": 100}
            ],
        }

        response = admin_client.post(override_url, body, format="json")

        assert response.status_code == 201
        shown = response.json()
        place = FeatureSegment.objects.get()
        state = FeatureState.objects.get(feature_segment=place)
        assert shown["id"] == state.pk
        assert (shown["feature"], shown["environment"]) == (feature.pk, environment.pk)
        assert shown["feature_segment"] == {
            "id": place.pk,
            "segment": segment.pk,
            "priority": 0,
            "uuid": str(place.uuid),
        }
        assert shown["feature_state_value"]["integer_value"] == 5
        assert shown["multivariate_feature_state_values"][0]["percentage_allocation"] == 100
        assert set(shown) == {
            "id",
            "feature",
            "enabled",
            "feature_state_value",
            "feature_segment",
            "deleted_at",
            "uuid",
            "created_at",
            "updated_at",
            "live_from",
            "environment",
            "identity",
            "change_request",
            "multivariate_feature_state_values",
        }

    def test_without_a_priority_it_goes_last(self, create, order):
        for name in "ab":
            create(name)

        assert order() == [("a", 0), ("b", 1)]

    def test_an_occupied_priority_pushes_the_others_down(self, create, order):
        for name in "ab":
            create(name)

        create("middle", priority=1)
        create("first", priority=0)

        assert order() == [("first", 0), ("a", 1), ("middle", 2), ("b", 3)]

    def test_a_free_priority_is_kept(self, create, order):
        create("a")

        assert create("far", priority=10).json()["feature_segment"]["priority"] == 10
        assert order() == [("a", 0), ("far", 10)]

    def test_a_refused_one_moves_nothing(self, admin_client, create, order, override_url, project):
        create("a")
        body = {
            "feature_segment": {"segment": make_segment(project).pk, "priority": 0},
            "multivariate_feature_state_values": [
                {"multivariate_feature_option": 999_999, "percentage_allocation": 1}
            ],
        }

        response = admin_client.post(override_url, body, format="json")

        assert response.status_code == 400
        assert order() == [("a", 0)]

    def test_a_segment_has_one(self, admin_client, create, override_url):
        segment_id = create("a").json()["feature_segment"]["segment"]

        response = admin_client.post(
            override_url, {"feature_segment": {"segment": segment_id}}, format="json"
        )

        assert response.status_code == 400
        assert response.json() == {
            "non_field_errors": ["The feature already has an override for this segment."]
        }

    def test_a_segment_of_another_feature_is_refused(self, admin_client, override_url, project):
        owner = make_feature(project)
        segment = make_segment(project, feature=owner)

        response = admin_client.post(
            override_url, {"feature_segment": {"segment": segment.pk}}, format="json"
        )

        assert response.status_code == 400
        assert response.json() == {
            "feature": [f"Can only create segment override(using this segment) for feature {owner.pk}"]
        }

    def test_a_segment_of_another_project_is_refused(self, admin_client, override_url, foreign_environment):
        segment = make_segment(foreign_environment.project)

        response = admin_client.post(
            override_url, {"feature_segment": {"segment": segment.pk}}, format="json"
        )

        assert response.status_code == 400
        assert not FeatureSegment.objects.exists()

    def test_elsewhere_is_not_found(self, admin_client, client_of, stranger, environment, override_url):
        unknown_feature = (
            f"/api/v1/environments/{environment.api_key}/features/999999/create-segment-override/"
        )

        assert client_of(stranger).post(override_url, {}).status_code == 404
        assert admin_client.post(override_url.replace(environment.api_key, "x"), {}).status_code == 404
        assert admin_client.post(unknown_feature, {}).status_code == 404


class TestPlaces:
    def test_are_made_last_whatever_is_said(self, admin_client, project, environment, feature):
        def post() -> dict:
            body = {
                "feature": feature.pk,
                "segment": make_segment(project).pk,
                "environment": environment.pk,
                "priority": 0,
            }
            response = admin_client.post(PLACES, body)
            assert response.status_code == 201
            return response.json()

        first, second = post(), post()

        assert [first["priority"], second["priority"]] == [0, 1]
        assert set(first) == {"id", "uuid", "feature", "segment", "environment", "priority"}

    def test_parts_of_elsewhere_and_second_ones_are_refused(
        self, admin_client, project, environment, feature, foreign_environment
    ):
        body = {
            "feature": feature.pk,
            "segment": make_segment(project).pk,
            "environment": environment.pk,
        }
        foreign_feature = make_feature(foreign_environment.project)
        foreign_segment = make_segment(foreign_environment.project)

        def refusal(**parts: int) -> tuple[int, object]:
            response = admin_client.post(PLACES, {**body, **parts})
            return response.status_code, response.json()

        assert refusal(feature=foreign_feature.pk) == (
            400,
            {"feature": ["Feature does not exist in project"]},
        )
        assert refusal(segment=foreign_segment.pk) == (
            400,
            {"segment": ["Segment does not exist in project."]},
        )
        assert refusal(environment=foreign_environment.pk)[0] == 403
        assert admin_client.post(PLACES, body).status_code == 201
        assert refusal() == (
            400,
            {"non_field_errors": ["The feature already has an override for this segment."]},
        )

    def test_are_listed_for_a_feature_in_an_environment(self, admin_client, project, environment, feature):
        segment = make_segment(project, feature=feature)
        make_segment_override(feature, environment, segment)
        place = FeatureSegment.objects.get()
        make_segment_override(make_feature(project), environment, make_segment(project))
        shown = {
            "id": place.pk,
            "uuid": str(place.uuid),
            "segment": segment.pk,
            "priority": 0,
            "environment": environment.pk,
            "segment_name": segment.name,
            "is_feature_specific": True,
        }

        listed = admin_client.get(PLACES, {"environment": environment.pk, "feature": feature.pk})

        assert listed.json()["results"] == [shown]
        assert admin_client.get(f"{PLACES}{place.pk}/").json() == shown
        assert admin_client.get(f"{PLACES}get-by-uuid/{place.uuid}/").json() == shown

    @pytest.mark.parametrize("missing", ["environment", "feature"])
    def test_the_list_needs_both(self, admin_client, environment, feature, missing):
        parameters = {"environment": environment.pk, "feature": feature.pk}
        del parameters[missing]

        response = admin_client.get(PLACES, parameters)

        assert response.status_code == 400
        assert list(response.json()) == [missing]

    def test_a_deleted_one_takes_its_state_and_closes_the_gap(self, admin_client, create, order):
        for name in "abc":
            create(name)
        place = FeatureSegment.objects.get(segment__name="b")

        response = admin_client.delete(f"{PLACES}{place.pk}/")

        assert response.status_code == 204
        assert order() == [("a", 0), ("c", 1)]
        assert not FeatureState.objects.filter(feature_segment=place).exists()
        record = AuditRecord.objects.first()
        assert record is not None
        assert record.log == (
            "Flag state / Remote config value deleted for feature 'new_checkout' and segment 'b'"
        )
        assert record.related_object_type == "FEATURE"

    def test_cannot_become_another(self, admin_client, create, project):
        create("a")
        place = FeatureSegment.objects.get()

        kept = admin_client.put(f"{PLACES}{place.pk}/", {"segment": place.segment_id, "priority": 9})
        moved = admin_client.put(f"{PLACES}{place.pk}/", {"segment": make_segment(project).pk})

        assert (kept.status_code, kept.json()["priority"]) == (200, 0)
        assert moved.json() == {"segment": ["Cannot change the segment of a segment override."]}

    def test_of_others_are_out_of_reach(self, client_of, stranger, environment, feature, create):
        create("a")
        place = FeatureSegment.objects.get()
        client = client_of(stranger)
        body = {"feature": feature.pk, "segment": place.segment_id, "environment": environment.pk}

        statuses = [
            client.get(PLACES, body).status_code,
            client.post(PLACES, body).status_code,
            client.get(f"{PLACES}{place.pk}/").status_code,
            client.delete(f"{PLACES}{place.pk}/").status_code,
            client.get(f"{PLACES}get-by-uuid/{place.uuid}/").status_code,
        ]

        assert statuses == [403, 403, 404, 404, 404]


class TestReordering:
    @pytest.fixture
    def places(self, project, environment, feature) -> list[FeatureSegment]:
        overrides = [
            make_segment_override(feature, environment, make_segment(project, name=name)) for name in "abc"
        ]
        return [override.feature_segment for override in overrides if override.feature_segment]

    def reorder(self, client, *pairs: tuple[FeatureSegment, int]):
        body = [{"id": place.pk, "priority": priority} for place, priority in pairs]
        return client.post(f"{PLACES}update-priorities/", body, format="json")

    def test_swaps(self, admin_client, places, order):
        response = self.reorder(admin_client, (places[0], 2), (places[1], 1), (places[2], 0))

        assert response.status_code == 200
        assert [each["segment_name"] for each in response.json()] == ["c", "b", "a"]
        assert order() == [("c", 0), ("b", 1), ("a", 2)]
        assert AuditRecord.objects.get().log == "Segment overrides re-ordered for feature 'new_checkout'."

    def test_those_not_named_make_room_and_keep_their_order(self, admin_client, places, order):
        self.reorder(admin_client, (places[2], 0))

        assert order() == [("c", 0), ("a", 1), ("b", 2)]

    def test_the_same_order_is_not_recorded(self, admin_client, places):
        self.reorder(admin_client, *((place, index) for index, place in enumerate(places)))

        assert not AuditRecord.objects.exists()

    def test_nothing_to_order_is_fine(self, admin_client):
        response = self.reorder(admin_client)

        assert (response.status_code, response.json()) == (200, [])

    def test_two_cannot_have_one_place(self, admin_client, places, order):
        response = self.reorder(admin_client, (places[0], 1), (places[1], 1))

        assert response.status_code == 400
        assert order() == [("a", 0), ("b", 1), ("c", 2)]

    def test_all_are_of_one_feature_and_environment(self, admin_client, project, environment, places):
        other = make_segment_override(make_feature(project), environment, make_segment(project))
        assert other.feature_segment

        response = self.reorder(admin_client, (places[0], 1), (other.feature_segment, 0))

        assert response.json() == {
            "non_field_errors": ["All feature segments must belong to the same feature & environment."]
        }

    def test_of_others_are_not_found(self, client_of, stranger, places):
        response = self.reorder(client_of(stranger), (places[0], 1))

        assert response.status_code == 400
        assert response.json() == {"non_field_errors": ["Some of the provided ids were not found."]}
