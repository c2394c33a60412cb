"""Tags over HTTP."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from audit.models import AuditRecord
from permissions.tests.factories import grant
from projects.models import Project, Tag, TagType


def path_of(project: Project, rest: object = "") -> str:
    return f"/api/v1/projects/{project.pk}/tags/{rest}"


@pytest.fixture
def client(member, project, client_of) -> APIClient:
    """Signed in as an administrator of the project, who is a plain member of its organisation."""
    grant(member, project, admin=True)
    return client_of(member)


@pytest.fixture
def tag(project) -> Tag:
    return Tag.objects.create(project=project, label="checkout")


@pytest.fixture
def system_tag(project) -> Tag:
    return Tag.objects.create(project=project, label="Stale", is_system_tag=True, type=TagType.STALE)


def test_a_tag_is_made_with_defaults(client, project):
    response = client.post(path_of(project), {"label": "checkout"})

    made = Tag.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": made.pk,
        "uuid": str(made.uuid),
        "label": "checkout",
        "color": "#6837FC",
        "description": None,
        "project": project.pk,
        "is_permanent": False,
        "is_system_tag": False,
        "type": "NONE",
    }


def test_two_tags_may_share_a_label(client, project, tag):
    assert client.post(path_of(project), {"label": tag.label}).status_code == 201


def test_nobody_makes_a_system_tag_or_puts_a_tag_into_another_project(client, project, organisation):
    other = Project.objects.create(organisation=organisation, name="Other")

    response = client.post(
        path_of(project), {"label": "x", "is_system_tag": True, "type": "STALE", "project": other.pk}
    )

    assert response.status_code == 201
    assert (response.json()["is_system_tag"], response.json()["type"]) == (False, "NONE")
    assert Tag.objects.get().project == project


def test_tags_are_listed_in_pages(client, project, tag):
    assert client.get(path_of(project)).json() == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [client.get(path_of(project, f"{tag.pk}/")).json()],
    }
    assert client.get(path_of(project, "?page=2")).json() == {"detail": "Invalid page."}


def test_a_tag_is_changed_in_part_or_as_a_whole(client, project, tag):
    patched = client.patch(path_of(project, f"{tag.pk}/"), {"is_permanent": True})
    put = client.put(path_of(project, f"{tag.pk}/"), {"label": "payment", "color": "#000000"})

    tag.refresh_from_db()
    assert (patched.status_code, put.status_code) == (200, 200)
    assert (tag.label, tag.color, tag.is_permanent) == ("payment", "#000000", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", None),
        ("label", "x" * 101),
        ("color", "#12345678901"),
        ("color", ["red"]),
        ("description", "x" * 513),
        ("is_permanent", "perhaps"),
    ],
)
def test_what_is_wrong_is_said_by_field(field, value, client, project):
    response = client.post(path_of(project), {"label": "x", field: value})

    assert (response.status_code, list(response.json())) == (400, [field])
    assert not Tag.objects.exists()


def test_a_system_tag_is_neither_changed_nor_deleted(client, project, system_tag):
    path = path_of(project, f"{system_tag.pk}/")

    put, patched, deleted = client.put(path, {"label": "x"}), client.patch(path, {}), client.delete(path)

    refused = {"non_field_errors": ["Cannot update a system tag."]}
    assert [(each.status_code, each.json()) for each in (put, patched)] == [(400, refused)] * 2
    assert (deleted.status_code, deleted.json()) == (400, {"message": "Cannot delete a system tag."})
    assert client.get(path).json()["label"] == "Stale"


def test_a_deleted_tag_is_taken_off_features_and_leaves_no_audit_record(client, project, tag, feature):
    feature.tags.add(tag)

    response = client.delete(path_of(project, f"{tag.pk}/"))

    assert response.status_code == 204
    assert not feature.tags.exists()
    assert not AuditRecord.objects.exists()


def test_a_tag_is_found_by_uuid_in_its_own_project(client, project, tag, organisation):
    other = Project.objects.create(organisation=organisation, name="Other")

    assert client.get(path_of(project, f"get-by-uuid/{tag.uuid}/")).json()["id"] == tag.pk
    assert client.get(path_of(other, f"get-by-uuid/{tag.uuid}/")).status_code == 404
    assert client.get(path_of(project, f"get-by-uuid/{uuid4()}/")).status_code == 404
    assert client.get(path_of(other, f"{tag.pk}/")).status_code == 404


def test_tags_of_others_are_forbidden_as_a_list_and_hidden_one_by_one(client_of, stranger, project, tag):
    client = client_of(stranger)

    listed = client.get(path_of(project))
    made = client.post(path_of(project), {"label": "x"})
    one_by_one = [
        getattr(client, method)(path_of(project, f"{tag.pk}/"), {"label": "x"})
        for method in ("get", "put", "patch", "delete")
    ]

    assert (listed.status_code, made.status_code) == (403, 403)
    assert [each.status_code for each in one_by_one] == [404] * 4
    assert client.get(path_of(project, f"get-by-uuid/{tag.uuid}/")).status_code == 404
    assert list(Tag.objects.values_list("label", flat=True)) == ["checkout"]


def test_who_sees_the_project_is_told_what_they_may_not_do(member, client_of, project, tag):
    client = client_of(member)
    row = grant(member, project, "VIEW_PROJECT")

    seeing = [getattr(client, method)(path_of(project, f"{tag.pk}/")) for method in ("get", "put", "delete")]
    row.permissions = {"MANAGE_TAGS": []}
    row.save()
    managing = [
        client.get(path_of(project, f"{tag.pk}/")),
        client.put(path_of(project, f"{tag.pk}/"), {"label": "renamed"}),
    ]

    assert [each.status_code for each in seeing] == [200, 403, 403]
    assert [each.status_code for each in managing] == [404, 200]
