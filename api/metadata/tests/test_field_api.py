"""Definitions of custom fields over HTTP."""

import pytest

from metadata.models import CustomField, Value
from metadata.tests.factories import make_attachment, make_field
from organisations.models import Organisation
from permissions.tests.factories import grant
from projects.models import Project

FIELDS = "/api/v1/metadata/fields/"


def of_project(project):
    return f"/api/v1/projects/{project.pk}/metadata/fields/"


@pytest.fixture
def other_project(organisation):
    return Project.objects.create(organisation=organisation, name="Warehouse")


@pytest.fixture
def member_client(client_of, member):
    return client_of(member)


class TestList:
    def test_shows_what_the_organisation_defines(self, member_client, organisation, project):
        field = make_attachment(organisation, description="Where it was decided", required_in=project).field
        make_field(organisation, "Of a project", project=project)

        response = member_client.get(FIELDS, {"organisation": organisation.pk})

        assert response.json()["count"] == 1
        shown = response.json()["results"][0]
        model_field = shown.pop("model_fields")[0]
        assert shown == {
            "id": field.pk,
            "name": "Ticket",
            "type": "str",
            "description": "Where it was decided",
            "organisation": organisation.pk,
            "project": None,
        }
        assert model_field["id"] == field.attachments.get().pk
        assert [each["object_id"] for each in model_field["is_required_for"]] == [project.pk]

    @pytest.mark.parametrize("query", ["", "?organisation=", "?organisation=abc", "?organisation=-1"])
    def test_needs_an_organisation(self, member_client, query):
        response = member_client.get(f"{FIELDS}{query}")

        assert response.status_code == 400
        assert "organisation" in response.json()

    def test_is_empty_for_others(self, client_of, stranger, organisation):
        make_field(organisation)
        client = client_of(stranger)

        foreign = client.get(FIELDS, {"organisation": organisation.pk})
        unknown = client.get(FIELDS, {"organisation": 2**31 - 1})

        assert foreign.status_code == 200
        assert foreign.json() == unknown.json() == {"count": 0, "next": None, "previous": None, "results": []}


class TestCreate:
    def test_by_an_administrator_of_the_organisation(self, admin_client, organisation):
        response = admin_client.post(FIELDS, {"name": "Ticket", "organisation": organisation.pk})

        assert response.status_code == 201
        assert response.json() == {
            "id": CustomField.objects.get().pk,
            "name": "Ticket",
            "type": "str",
            "description": None,
            "organisation": organisation.pk,
            "project": None,
            "model_fields": [],
        }

    def test_an_administrator_of_a_project_defines_its_fields_only(
        self, member_client, member, organisation, project, other_project
    ):
        grant(member, project, admin=True)
        body = {"name": "Ticket", "type": "url", "organisation": organisation.pk}

        own = member_client.post(FIELDS, {**body, "project": project.pk})
        refused = [
            member_client.post(FIELDS, body),
            member_client.post(FIELDS, {**body, "project": other_project.pk}),
        ]

        assert own.status_code == 201
        assert own.json()["project"] == project.pk
        assert [each.status_code for each in refused] == [403, 403]

    def test_membership_is_not_enough(self, member_client, organisation):
        response = member_client.post(FIELDS, {"name": "Ticket", "organisation": organisation.pk})

        assert response.status_code == 403

    def test_foreign_and_unknown_organisations_look_the_same(self, client_of, stranger, organisation):
        client = client_of(stranger)

        foreign = client.post(FIELDS, {"name": "Ticket", "organisation": organisation.pk})
        unknown = client.post(FIELDS, {"name": "Ticket", "organisation": 2**31 - 1})

        assert foreign.status_code == unknown.status_code == 403
        assert foreign.json() == unknown.json()

    def test_foreign_and_unknown_projects_look_the_same(self, admin_client, organisation, stranger):
        elsewhere = Project.objects.create(organisation=Organisation.objects.get(name="Other"), name="Theirs")
        body = {"name": "Ticket", "organisation": organisation.pk}

        foreign = admin_client.post(FIELDS, {**body, "project": elsewhere.pk})
        unknown = admin_client.post(FIELDS, {**body, "project": 2**31 - 1})

        assert foreign.status_code == unknown.status_code == 400
        assert foreign.json() == unknown.json()
        assert foreign.json() == {"project": ["Project must belong to the specified organisation."]}

    def test_a_name_is_taken_once_in_each_place(self, admin_client, organisation, project, other_project):
        make_field(organisation)
        make_field(organisation, project=project)
        body = {"name": "Ticket", "organisation": organisation.pk}

        refused = [admin_client.post(FIELDS, {**body, **where}) for where in ({}, {"project": project.pk})]
        elsewhere = admin_client.post(FIELDS, {**body, "project": other_project.pk})

        for each in refused:
            assert each.status_code == 400
            assert each.json() == {"name": ["A metadata field with this name already exists."]}
        assert elsewhere.status_code == 201

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 256}, "name"),
            ({"type": "float"}, "type"),
            ({"organisation": None}, "organisation"),
            ({"project": "abc"}, "project"),
        ],
    )
    def test_names_what_is_wrong(self, admin_client, organisation, wrong, field):
        body = {"name": "Ticket", "organisation": organisation.pk, **wrong}

        response = admin_client.post(FIELDS, body, format="json")

        assert response.status_code == 400
        assert list(response.json()) == [field]
        assert not CustomField.objects.exists()


class TestOne:
    def test_is_shown_to_members(self, member_client, organisation, project):
        field = make_field(organisation, project=project)

        response = member_client.get(f"{FIELDS}{field.pk}/")

        assert response.status_code == 200
        assert response.json()["project"] == project.pk

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_is_hidden_from_others(self, client_of, stranger, organisation, method):
        field = make_field(organisation)

        response = getattr(client_of(stranger), method)(f"{FIELDS}{field.pk}/", {"name": "Theirs"})

        assert response.status_code == 404
        assert CustomField.objects.get().name == "Ticket"

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_members_do_not_change_it(self, member_client, organisation, method):
        field = make_field(organisation)

        response = getattr(member_client, method)(f"{FIELDS}{field.pk}/", {"name": "Theirs"})

        assert response.status_code == 403

    def test_an_administrator_of_its_project_changes_and_deletes_it(
        self, member_client, member, organisation, project
    ):
        grant(member, project, admin=True)
        field = make_field(organisation, project=project)
        url = f"{FIELDS}{field.pk}/"

        changed = member_client.patch(url, {"name": "Issue", "type": "int"})
        deleted = member_client.delete(url)

        assert changed.status_code == 200
        assert (changed.json()["name"], changed.json()["type"]) == ("Issue", "int")
        assert changed.json()["project"] == project.pk
        assert deleted.status_code == 204

    def test_a_name_that_is_taken_is_refused(self, admin_client, organisation):
        make_field(organisation, "Taken")
        field = make_field(organisation)

        response = admin_client.patch(f"{FIELDS}{field.pk}/", {"name": "Taken"})
        unchanged = admin_client.patch(f"{FIELDS}{field.pk}/", {"name": "Ticket"})

        assert response.status_code == 400
        assert response.json() == {"name": ["A metadata field with this name already exists."]}
        assert unchanged.status_code == 200

    def test_stays_in_its_organisation(self, admin_client, admin, organisation):
        second = Organisation.objects.create(name="Second")
        second.memberships.create(user=admin, role="ADMIN")
        field = make_field(organisation)

        response = admin_client.patch(f"{FIELDS}{field.pk}/", {"organisation": second.pk})

        assert response.status_code == 400
        assert list(response.json()) == ["organisation"]

    def test_becomes_the_organisations_for_its_administrators_only(
        self, member_client, admin_client, member, organisation, project
    ):
        grant(member, project, admin=True)
        field = make_field(organisation, project=project)
        url, body = f"{FIELDS}{field.pk}/", {"project": None}

        by_project_administrator = member_client.patch(url, body, format="json")
        by_administrator = admin_client.patch(url, body, format="json")

        assert by_project_administrator.status_code == 403
        assert by_administrator.status_code == 200
        assert by_administrator.json()["project"] is None

    def test_becomes_a_projects_unless_others_have_values(
        self, admin_client, organisation, project, other_project, feature
    ):
        attachment = make_attachment(organisation)
        Value.objects.create(attachment=attachment, feature=feature, value="BUR-1")
        url = f"{FIELDS}{attachment.field.pk}/"

        elsewhere = admin_client.patch(url, {"project": other_project.pk})
        here = admin_client.patch(url, {"project": project.pk})

        assert elsewhere.status_code == 400
        assert list(elsewhere.json()) == ["project"]
        assert here.status_code == 200

    def test_goes_with_all_its_values(self, admin_client, organisation, feature):
        attachment = make_attachment(organisation, required_in=organisation)
        Value.objects.create(attachment=attachment, feature=feature, value="BUR-1")

        response = admin_client.delete(f"{FIELDS}{attachment.field.pk}/")

        assert response.status_code == 204
        assert not Value.objects.exists()

    def test_of_a_deleted_project_is_gone(self, admin_client, organisation, project):
        field = make_field(organisation, project=project)
        project.delete()

        response = admin_client.get(f"{FIELDS}{field.pk}/")

        assert response.status_code == 404


class TestOfProject:
    def names(self, client, project, **query):
        response = client.get(of_project(project), query)
        assert response.status_code == 200
        return {(each["name"], each["project"]) for each in response.json()["results"]}

    def test_lists_the_projects_own_and_with_a_word_the_inherited(
        self, member_client, member, organisation, project, other_project
    ):
        grant(member, project, "VIEW_PROJECT")
        make_field(organisation)
        make_field(organisation, "Owner")
        make_field(organisation, project=project)
        make_field(organisation, "Elsewhere", project=other_project)

        own = self.names(member_client, project)
        all_ = self.names(member_client, project, include_organisation="true")

        assert own == {("Ticket", project.pk)}
        assert all_ == {("Ticket", project.pk), ("Owner", None)}  # the organisation's Ticket is hidden

    def test_lists_those_of_one_kind_of_entity(self, admin_client, organisation, project):
        make_attachment(organisation, "Of features", "feature")
        make_attachment(organisation, "Of segments", "segment")

        names = self.names(admin_client, project, include_organisation="true", entity="segment")

        assert names == {("Of segments", None)}

    @pytest.mark.parametrize("query", [{"entity": "identity"}, {"include_organisation": "perhaps"}])
    def test_says_what_is_wrong_with_a_query(self, admin_client, project, query):
        response = admin_client.get(of_project(project), query)

        assert response.status_code == 400
        assert list(response.json()) == list(query)

    def test_is_hidden_from_who_may_not_see_the_project(self, member_client, project, organisation):
        field = make_field(organisation, project=project)

        responses = [member_client.get(of_project(project) + rest) for rest in ("", f"{field.pk}/")]

        assert [each.status_code for each in responses] == [404, 404]

    def test_shows_one(self, admin_client, organisation, project, other_project):
        own = make_field(organisation, project=project)
        inherited = make_field(organisation, "Owner")
        elsewhere = make_field(organisation, project=other_project)

        responses = [
            admin_client.get(f"{of_project(project)}{field.pk}/") for field in (own, inherited, elsewhere)
        ]

        assert [each.status_code for each in responses] == [200, 200, 404]

    def test_is_for_reading(self, admin_client, organisation, project):
        response = admin_client.post(of_project(project), {"name": "x", "organisation": organisation.pk})

        assert response.status_code == 405
