"""What views of the management API do where others are in the way."""

import pytest
from django.db import IntegrityError, connection

from core.errors import exception_handler
from organisations.models import Group
from projects import services
from projects.models import Tag

DEADLOCK = "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("deadlocks", "status", "label"), [(1, 200, "gamma"), (2, 503, "beta")])
def test_what_a_deadlock_has_undone_is_done_once_more(
    admin_client, project, monkeypatch, deadlocks, status, label
):
    tag = Tag.objects.create(project=project, label="beta")
    labels_written = []

    def update(tag, **changes):
        services.update_tag(tag, **changes)
        labels_written.append(Tag.objects.get().label)
        if len(labels_written) <= deadlocks:
            with connection.cursor() as cursor:
                cursor.execute(DEADLOCK)

    monkeypatch.setattr("projects.views.projects.update_tag", update)

    response = admin_client.patch(f"/api/v1/projects/{project.pk}/tags/{tag.pk}/", {"label": "gamma"})

    assert response.status_code == status
    assert response.get("Retry-After") == ("1" if status == 503 else None)
    assert labels_written == ["gamma", "gamma"]
    assert Tag.objects.get().label == label


def test_what_refers_to_something_that_is_gone_is_a_conflict(organisation):
    Group.objects.create(organisation_id=organisation.pk + 1000, name="Nobody's")

    with pytest.raises(IntegrityError) as raised:
        connection.check_constraints()
    connection.needs_rollback = True

    response = exception_handler(raised.value, {})
    assert response is not None
    assert (response.status_code, response.data["code"]) == (409, "conflict")


@pytest.mark.parametrize("missing", ["update", "lookup"])
def test_what_is_gone_before_it_is_saved_is_not_found(project, missing):
    tag = Tag.objects.create(project=project, label="beta")
    Tag.objects.all().delete()

    with pytest.raises(Exception) as raised:  # noqa: PT011  # of which kind is Django's affair
        tag.save(update_fields=["label"]) if missing == "update" else tag.refresh_from_db()

    response = exception_handler(raised.value, {})
    assert response is not None
    assert response.status_code == 404
