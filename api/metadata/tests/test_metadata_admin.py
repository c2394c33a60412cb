"""Custom fields in the admin."""

from metadata.models import CustomField, Value
from metadata.tests.factories import make_attachment, make_field
from organisations.models import Organisation
from projects.models import Project

FIELDS = "/admin/metadata/customfield/"


def definition(organisation, **changes):
    return {
        "organisation": organisation.pk,
        "project": "",
        "name": "Ticket",
        "type": "url",
        "description": "",
        "attachments-TOTAL_FORMS": "1",
        "attachments-INITIAL_FORMS": "0",
        "attachments-0-kind": "feature",
        **changes,
    }


def test_defines_and_attaches_a_field(superuser_client, organisation):
    response = superuser_client.post(f"{FIELDS}add/", definition(organisation))

    assert response.status_code == 302
    assert CustomField.objects.get().attachments.get().kind == "feature"


def test_says_that_a_name_is_taken(superuser_client, organisation):
    make_field(organisation)

    response = superuser_client.post(f"{FIELDS}add/", definition(organisation), follow=True)

    assert b"A metadata field with this name already exists." in response.content
    assert CustomField.objects.count() == 1


def test_refuses_a_project_of_another_organisation(superuser_client, organisation, stranger):
    theirs = Project.objects.create(organisation=Organisation.objects.get(name="Other"), name="Theirs")

    response = superuser_client.post(
        f"{FIELDS}add/", definition(organisation, project=theirs.pk), follow=True
    )

    assert b"Project must belong to the specified organisation." in response.content
    assert not CustomField.objects.exists()


def test_refuses_a_requirement_of_another_organisation(superuser_client, organisation, stranger):
    attachment = make_attachment(organisation)

    response = superuser_client.post(
        f"/admin/metadata/attachment/{attachment.pk}/change/",
        {
            "requirements-TOTAL_FORMS": "1",
            "requirements-INITIAL_FORMS": "0",
            "requirements-0-organisation": Organisation.objects.get(name="Other").pk,
        },
    )

    assert b"The requirement organisation does not match the field organisation" in response.content
    assert not attachment.requirements.exists()


def test_deletes_a_field_with_its_values(superuser_client, organisation, feature):
    attachment = make_attachment(organisation)
    Value.objects.create(attachment=attachment, feature=feature, value="BUR-1")

    response = superuser_client.post(f"{FIELDS}{attachment.field.pk}/delete/", {"post": "yes"})

    assert response.status_code == 302
    assert not Value.objects.exists()
