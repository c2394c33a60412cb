"""Environments in the admin."""

from typing import Any

import pytest

from audit.models import AuditRecord
from environments.models import Environment, ServerSideKey
from projects.models import Project
from users.models import User

ENVIRONMENTS = "/admin/environments/environment/"


def form(keys: int = 0, **fields: Any) -> dict:
    return {
        "name": "Staging",
        "api_key": "staging",
        "hide_disabled_flags": "unknown",
        "allow_client_traits": "on",
        "use_identity_composite_key_for_hashing": "on",
        "use_identity_overrides_in_local_eval": "on",
        "server_side_keys-TOTAL_FORMS": keys,
        "server_side_keys-INITIAL_FORMS": 0,
        "webhooks-TOTAL_FORMS": 0,
        "webhooks-INITIAL_FORMS": 0,
        **fields,
    }


def test_an_environment_is_made_with_a_key_and_recorded(superuser_client, project):
    new_key = {"server_side_keys-0-name": "servers", "server_side_keys-0-active": "on"}

    response = superuser_client.post(f"{ENVIRONMENTS}add/", form(1, project=project.pk, **new_key))

    environment = Environment.objects.get()
    record = AuditRecord.objects.get()
    assert response.status_code == 302, response.content
    assert environment.api_key == "staging"
    assert ServerSideKey.objects.get().environment == environment
    assert record.log == "New Environment created: Staging"
    assert record.author == User.objects.get(email="root@example.org")
    assert record.related_object_id == environment.pk


def test_a_change_is_recorded_as_the_api_records_it(superuser_client, environment, organisation):
    other = Project.objects.create(organisation=organisation, name="Other")
    path = f"{ENVIRONMENTS}{environment.pk}/change/"

    response = superuser_client.post(path, form(name="Renamed", api_key="new", project=other.pk))

    environment.refresh_from_db()
    record = AuditRecord.objects.get()
    assert response.status_code == 302, response.content
    assert (environment.name, environment.api_key) == ("Renamed", "new")
    assert environment.project != other
    assert record.log == "Environment updated: Renamed"
    assert {each["field"]: each["new"] for each in record.changes} == {"name": "Renamed", "api_key": "new"}


def test_a_name_that_is_taken_is_refused_and_not_recorded(superuser_client, environment):
    other = Environment.objects.create(project=environment.project, name="Other", api_key="other")

    page = superuser_client.post(
        f"{ENVIRONMENTS}{other.pk}/change/", form(name=environment.name, api_key="other"), follow=True
    )

    assert "An environment with this name already exists." in page.content.decode()
    assert Environment.objects.get(pk=other.pk).name == "Other"
    assert not AuditRecord.objects.exists()


@pytest.mark.parametrize("sought", ["api_key", "server_side_key", "name", "project"])
def test_environments_are_found_by_name_project_and_keys(sought, superuser_client, environment):
    environment.server_side_keys.create(name="one")
    texts = {
        "api_key": environment.api_key,
        "server_side_key": environment.server_side_keys.create(name="two").key,
        "name": "Produc",
        "project": "Web sh",
    }
    other = Project.objects.create(organisation=environment.project.organisation, name="Other")
    Environment.objects.create(project=other, name="Staging")

    page = superuser_client.get(ENVIRONMENTS, {"q": texts[sought]}).content.decode()

    assert f"{ENVIRONMENTS}{environment.pk}/change/" in page
    assert "1 environment" in page


def test_deleting_is_soft(superuser_client, environment, feature):
    superuser_client.post(f"{ENVIRONMENTS}{environment.pk}/delete/", {"post": "yes"})

    assert not Environment.objects.exists()
    assert not environment.feature_states.exists()
    assert Environment.all_objects.get().deleted_at is not None


def test_a_key_that_was_once_in_use_is_refused(superuser_client, environment):
    Environment.objects.create(project=environment.project, name="Gone", api_key="gone").delete()

    page = superuser_client.post(
        f"{ENVIRONMENTS}{environment.pk}/change/", form(name="Production", api_key="gone"), follow=True
    )

    assert "That value is already taken." in page.content.decode()


def test_a_webhook_leads_to_the_internet(superuser_client, environment):
    public, private = [
        superuser_client.post(
            f"{ENVIRONMENTS}{environment.pk}/change/",
            {**form(name="Production"), "webhooks-TOTAL_FORMS": 1, "webhooks-0-url": url},
        )
        for url in ("https://93.184.215.14/hook", "http://127.0.0.1/hook")
    ]

    assert public.status_code == 302
    assert private.status_code == 200
    assert [each.url for each in environment.webhooks.all()] == ["https://93.184.215.14/hook"]
