"""Projects and tags in the admin."""

from organisations.models import Organisation
from projects.models import Project, Tag, TagType

PROJECTS = "/admin/projects/project/"
TAGS = "/admin/projects/tag/"


def test_a_project_is_made_and_changed_and_keeps_its_organisation(superuser_client, organisation):
    other = Organisation.objects.create(name="Other")
    fields = {"name": "Web shop", "stale_flags_limit_days": 30, "enable_realtime_updates": "on"}

    superuser_client.post(f"{PROJECTS}add/", {**fields, "organisation": organisation.pk})
    project = Project.objects.get()
    superuser_client.post(
        f"{PROJECTS}{project.pk}/change/", {**fields, "name": "Renamed", "organisation": other.pk}
    )

    project.refresh_from_db()
    assert (project.name, project.organisation) == ("Renamed", organisation)
    assert project.enable_realtime_updates


def test_a_name_that_is_taken_is_refused_in_a_message(superuser_client, project):
    other = Project.objects.create(organisation=project.organisation, name="Other")

    response = superuser_client.post(
        f"{PROJECTS}{other.pk}/change/", {"name": project.name, "stale_flags_limit_days": 30}, follow=True
    )

    assert "A project with this name already exists." in response.content.decode()
    assert Project.objects.get(pk=other.pk).name == "Other"


def test_a_system_tag_is_not_deleted(superuser_client, project):
    tag = Tag.objects.create(project=project, label="Stale", is_system_tag=True, type=TagType.STALE)

    response = superuser_client.post(f"{TAGS}{tag.pk}/delete/", {"post": "yes"}, follow=True)

    assert "Cannot delete a system tag." in response.content.decode()
    assert Tag.objects.filter(pk=tag.pk).exists()


def test_a_tag_is_made_and_changed(superuser_client, project):
    superuser_client.post(f"{TAGS}add/", {"project": project.pk, "label": "new", "color": "#000000"})
    tag = Tag.objects.get()

    superuser_client.post(f"{TAGS}{tag.pk}/change/", {"label": "newer", "color": "#000000"})

    assert Tag.objects.get().label == "newer"
