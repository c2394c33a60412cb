"""`If-Match` and `If-None-Match`, as RFC 9110 has them."""

import pytest
from django.utils import timezone

from core.preconditions import tag_of
from projects.models import Tag


@pytest.fixture
def tag(project) -> Tag:
    return Tag.objects.create(project=project, label="beta")


@pytest.fixture
def url(project, tag) -> str:
    return f"/api/v1/projects/{project.pk}/tags/{tag.pk}/"


def test_a_tag_says_what_is_shown_and_no_more():
    shown = {"id": 1, "names": ["a", "b"], "owner": {"email": "ada@example.org", "last_login": None}}

    assert tag_of(shown) == tag_of({**shown, "owner": {"last_login": "today", "email": "ada@example.org"}})
    assert tag_of(shown) != tag_of({**shown, "names": ["b", "a"]})
    assert tag_of({"value": 1}) != tag_of({"value": True}) != tag_of({"value": "1"})


@pytest.mark.parametrize(
    ("if_match", "expected"),
    [
        ("{tag}", 200),
        ('"other", {tag}', 200),
        ("*", 200),
        ("W/{tag}", 412),
        ('"other"', 412),
        ("{tag}, {tag}x", 200),
        ("unquoted", 400),
        ("", 400),
    ],
)
def test_if_match_takes_any_of_its_tags_and_no_weak_one(admin_client, url, tag, if_match, expected):
    current = admin_client.get(url)["ETag"]

    response = admin_client.patch(
        url, {"label": "gamma"}, format="json", headers={"If-Match": if_match.format(tag=current)}
    )

    tag.refresh_from_db()
    assert response.status_code == expected
    assert tag.label == ("gamma" if expected == 200 else "beta")


def test_who_was_too_late_is_shown_how_it_is_now(admin_client, url):
    old = admin_client.get(url)
    written = admin_client.patch(url, {"label": "gamma"}, format="json")

    late = admin_client.delete(url, headers={"If-Match": old["ETag"]})

    assert late.status_code == 412
    assert late.json() == admin_client.get(url).json() == written.json()
    assert late["ETag"] == written["ETag"] != old["ETag"]
    assert admin_client.delete(url, headers={"If-Match": late["ETag"]}).status_code == 204


def test_who_has_it_already_is_not_sent_it_again(admin_client, url):
    read = admin_client.get(url)

    for tags in (read["ETag"], f"W/{read['ETag']}", f'"other", {read["ETag"]}', "*"):
        again = admin_client.get(url, headers={"If-None-Match": tags})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", read["ETag"])
    assert admin_client.get(url, headers={"If-None-Match": '"other"'}).content == read.content
    assert admin_client.patch(url, {}, headers={"If-None-Match": "*"}).status_code == 412


@pytest.mark.parametrize("if_match", ["*", '"other"'])
def test_what_is_gone_is_404_and_what_is_forbidden_403(
    admin_client, member, client_of, project, url, if_match
):
    project.grants.create(user=member, permissions={"VIEW_PROJECT": []})
    headers = {"If-Match": if_match}

    assert client_of(member).delete(url, headers=headers).status_code == 403
    Tag.objects.all().delete()
    assert admin_client.delete(url, headers=headers).status_code == 404


def test_where_there_are_no_tags_none_matches(admin_client, project):
    path = f"/api/v1/projects/{project.pk}/tags/"

    refused = admin_client.post(path, {"label": "beta"}, headers={"If-Match": '"any"'})

    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert not Tag.objects.exists()
    assert admin_client.post(path, {"label": "beta"}, headers={"If-Match": "*"}).status_code == 201


def test_a_new_object_is_tagged_as_it_will_be_read(admin_client, project):
    made = admin_client.post(f"/api/v1/projects/{project.pk}/tags/", {"label": "beta"})

    assert (
        made["ETag"] == admin_client.get(f"/api/v1/projects/{project.pk}/tags/{made.json()['id']}/")["ETag"]
    )


def test_that_an_owner_signs_in_again_is_nobodys_conflict(admin_client, admin, project, feature):
    feature.owners.add(admin)
    url = f"/api/v1/projects/{project.pk}/features/{feature.pk}/"
    read = admin_client.get(url)["ETag"]

    admin.last_login = timezone.now()
    admin.save(update_fields=["last_login"])

    assert admin_client.get(url)["ETag"] == read


def test_an_action_is_held_to_the_object_that_it_changes(admin_client, member, project, feature):
    project.grants.create(user=member, admin=True)
    url = f"/api/v1/projects/{project.pk}/features/{feature.pk}/"
    read = admin_client.get(url)["ETag"]
    body = {"user_ids": [member.pk]}

    refused = admin_client.post(f"{url}add-owners/", body, format="json", headers={"If-Match": '"other"'})
    added = admin_client.post(f"{url}add-owners/", body, format="json", headers={"If-Match": read})

    assert (refused.status_code, refused["ETag"]) == (412, read)
    assert added.status_code == 200
    assert added["ETag"] == admin_client.get(url)["ETag"] != read
