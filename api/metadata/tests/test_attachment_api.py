"""What custom fields are attached to, over HTTP."""

import pytest

from metadata.kinds import content_type_of
from metadata.models import Attachment, Value
from metadata.tests.factories import make_attachment, make_field
from organisations.models import Organisation
from permissions.tests.factories import grant
from projects.models import Project


def number_of(kind):
    return content_type_of(kind).pk


def url(organisation, rest=""):
    return f"/api/v1/organisations/{organisation.pk}/metadata-model-fields/{rest}"


@pytest.fixture
def member_client(client_of, member):
    return client_of(member)


@pytest.fixture
def elsewhere(stranger):
    return Organisation.objects.get(name="Other")


class TestAttaching:
    def test_says_of_what_and_where_it_is_required(self, admin_client, organisation, project):
        field = make_field(organisation)
        places = [
            {"content_type": number_of("organisation"), "object_id": organisation.pk},
            {"content_type": number_of("project"), "object_id": project.pk},
        ]
        body = {"field": field.pk, "content_type": number_of("feature"), "is_required_for": places}

        response = admin_client.post(url(organisation), body, format="json")

        assert response.status_code == 201
        assert response.json() == {"id": Attachment.objects.get().pk, **body}

    def test_needs_no_requirement(self, admin_client, organisation):
        field = make_field(organisation)

        response = admin_client.post(
            url(organisation), {"field": field.pk, "content_type": number_of("segment")}, format="json"
        )

        assert response.status_code == 201
        assert response.json()["is_required_for"] == []

    def test_is_done_once(self, admin_client, organisation):
        attachment = make_attachment(organisation)

        response = admin_client.post(
            url(organisation),
            {"field": attachment.field.pk, "content_type": number_of("feature")},
            format="json",
        )

        assert response.status_code == 400
        assert list(response.json()) == ["non_field_errors"]

    @pytest.mark.parametrize("kind", ["project", "organisation", None])
    def test_is_for_features_segments_and_environments(self, admin_client, organisation, kind):
        field = make_field(organisation)
        number = number_of(kind) if kind else 2**31 - 1

        response = admin_client.post(
            url(organisation), {"field": field.pk, "content_type": number}, format="json"
        )

        assert response.status_code == 400
        assert list(response.json()) == ["content_type"]

    def test_foreign_and_unknown_fields_look_the_same(self, admin_client, organisation, elsewhere):
        foreign_field = make_field(elsewhere)

        foreign, unknown = [
            admin_client.post(
                url(organisation), {"field": number, "content_type": number_of("feature")}, format="json"
            )
            for number in (foreign_field.pk, 2**31 - 1)
        ]

        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() == unknown.json()
        assert not Attachment.objects.exists()

    def test_an_administrator_of_a_project_attaches_its_fields_only(
        self, member_client, member, organisation, project
    ):
        grant(member, project, admin=True)
        own, inherited = make_field(organisation, project=project), make_field(organisation)

        statuses = [
            member_client.post(
                url(organisation), {"field": field.pk, "content_type": number_of("feature")}, format="json"
            ).status_code
            for field in (own, inherited)
        ]

        assert statuses == [201, 403]

    def test_others_get_nothing(self, client_of, stranger, organisation):
        attachment = make_attachment(organisation)
        client = client_of(stranger)

        statuses = [
            client.get(url(organisation)).status_code,
            client.get(url(organisation, f"{attachment.pk}/")).status_code,
            client.delete(url(organisation, f"{attachment.pk}/")).status_code,
        ]

        assert statuses == [403, 403, 403]


class TestRequirements:
    @pytest.mark.parametrize("kind", ["feature", "segment", None])
    def test_are_in_organisations_and_projects(self, admin_client, organisation, feature, kind):
        attachment = make_attachment(organisation)
        place = {"content_type": number_of(kind) if kind else 2**31 - 1, "object_id": feature.pk}

        response = admin_client.patch(
            url(organisation, f"{attachment.pk}/"), {"is_required_for": [place]}, format="json"
        )

        assert response.status_code == 400
        reason = "The requirement content type must be project or organisation"
        assert response.json() == {"non_field_errors": [reason]}

    @pytest.mark.parametrize("kind", ["organisation", "project"])
    @pytest.mark.parametrize("known", [True, False])
    def test_are_in_the_fields_own_organisation(self, admin_client, organisation, elsewhere, kind, known):
        attachment = make_attachment(organisation, required_in=organisation)
        theirs = Project.objects.create(organisation=elsewhere, name="Theirs")
        foreign = {"organisation": elsewhere, "project": theirs}[kind].pk
        place = {"content_type": number_of(kind), "object_id": foreign if known else 2**31 - 1}

        response = admin_client.patch(
            url(organisation, f"{attachment.pk}/"), {"is_required_for": [place]}, format="json"
        )

        assert response.status_code == 400
        reason = "The requirement organisation does not match the field organisation"
        assert response.json() == {"non_field_errors": [reason]}
        assert attachment.requirements.count() == 1

    def test_are_replaced_as_a_whole(self, admin_client, organisation, project):
        attachment = make_attachment(organisation, required_in=organisation)
        place = {"content_type": number_of("project"), "object_id": project.pk}

        replaced = admin_client.patch(
            url(organisation, f"{attachment.pk}/"), {"is_required_for": [place, place]}, format="json"
        )
        kept = admin_client.patch(url(organisation, f"{attachment.pk}/"), {}, format="json")

        assert replaced.json()["is_required_for"] == kept.json()["is_required_for"] == [place]

    def test_field_and_kind_stay(self, admin_client, organisation):
        attachment = make_attachment(organisation)
        other = make_field(organisation, "Other")

        responses = [
            admin_client.patch(url(organisation, f"{attachment.pk}/"), change, format="json")
            for change in ({"field": other.pk}, {"content_type": number_of("segment")})
        ]

        assert [each.status_code for each in responses] == [400, 400]
        assert [list(each.json()) for each in responses] == [["field"], ["content_type"]]

    def test_of_deleted_projects_are_not_shown(self, admin_client, organisation, project):
        attachment = make_attachment(organisation, required_in=project)
        project.delete()

        response = admin_client.get(url(organisation, f"{attachment.pk}/"))

        assert response.json()["is_required_for"] == []


class TestReading:
    def test_lists_those_of_one_kind(self, member_client, organisation):
        make_attachment(organisation, "Of features", "feature")
        of_segments = make_attachment(organisation, "Of segments", "segment")

        response = member_client.get(url(organisation), {"content_type": number_of("segment")})

        assert [each["id"] for each in response.json()["results"]] == [of_segments.pk]

    def test_detaching_takes_the_values(self, admin_client, organisation, feature):
        attachment = make_attachment(organisation)
        Value.objects.create(attachment=attachment, feature=feature, value="BUR-1")

        response = admin_client.delete(url(organisation, f"{attachment.pk}/"))

        assert response.status_code == 204
        assert not Value.objects.exists()

    def test_content_types_are_found_by_model(self, member_client, organisation):
        response = member_client.get(url(organisation, "supported-content-types/"))

        assert response.status_code == 200
        by_model = {each["model"]: each for each in response.json()}
        assert set(by_model) == {"feature", "segment", "environment", "organisation", "project"}
        assert by_model["feature"] == {
            "id": number_of("feature"),
            "app_label": "features",
            "model": "feature",
        }

    def test_what_may_require_is_known_for_each_kind(self, member_client, organisation):
        path = url(organisation, "supported-required-for-models/")

        known = member_client.get(path, {"model_name": "environment"})
        unknown = [member_client.get(path, query) for query in ({"model_name": "identity"}, {})]

        assert {each["model"] for each in known.json()} == {"organisation", "project"}
        assert [each.status_code for each in unknown] == [404, 404]
        assert unknown[0].json() == {"message": "No supported models found for the given model name."}
