"""What machines do about members, groups and invitations, and what they can't."""

import pytest

from mails.tests.smtp import text_of
from organisations.tests.factories import machine_client, make_key
from permissions.tests.factories import grant, make_role


@pytest.fixture
def path(organisation) -> str:
    return f"/api/v1/organisations/{organisation.pk}/"


def test_an_administrators_key_runs_the_teams(mailbox, path, organisation, admin, member):
    client = machine_client(make_key(organisation))

    group = client.post(f"{path}groups/", {"name": "Developers"}).json()
    responses = [
        client.post(f"{path}groups/{group['id']}/add-users/", {"user_ids": [member.pk]}),
        client.post(f"{path}groups/{group['id']}/users/{member.pk}/make-admin"),
        client.get(f"{path}groups/"),
        client.get(f"{path}groups/my-groups/"),
        client.get(f"{path}users/?exclude_current=true"),
        client.post(f"{path}users/{member.pk}/update-role/", {"role": "ADMIN"}),
        client.post(f"{path}invite-links/"),
        client.post(f"{path}webhooks/", {"url": "https://93.184.215.14/"}),
        client.post(f"{path}invites/", {"email": "kim@example.org"}),
        client.post(f"{path}remove-users/", [{"id": member.pk}]),
    ]

    assert [each.status_code for each in responses] == [200, 200, 200, 200, 200, 200, 201, 201, 201, 200]
    assert responses[2].json()["results"][0]["users"][0]["group_admin"] is True
    assert responses[3].json()["count"] == 0
    assert len(responses[4].json()) == 2
    assert "you have been invited" in text_of(mailbox.only())
    assert client.get(f"{path}invites/").json()["results"][0]["invited_by"] is None


def test_a_key_without_a_role_sees_no_group_and_manages_nothing(path, organisation, member):
    group = organisation.groups.create(name="Developers")
    client = machine_client(make_key(organisation, is_admin=False))

    assert client.get(f"{path}groups/").json()["results"] == []
    assert client.get(f"{path}groups/{group.pk}/").status_code == 404
    refused = [
        client.post(f"{path}groups/", {"name": "QA"}),
        client.get(f"{path}invites/"),
        client.get(f"{path}invite-links/"),
        client.get(f"{path}webhooks/"),
        client.post(f"{path}remove-users/", [{"id": member.pk}]),
    ]
    assert [each.status_code for each in refused] == [403] * 5


def test_a_keys_role_lets_it_manage_groups(path, organisation, member):
    key = make_key(organisation, is_admin=False)
    grant(make_role(organisation, key), organisation, "MANAGE_USER_GROUPS")
    client = machine_client(key)

    made = client.post(f"{path}groups/", {"name": "QA"})
    added = client.post(f"{path}groups/{made.json()['id']}/add-users/", {"user_ids": [member.pk]})

    assert (made.status_code, added.status_code) == (201, 200)


def test_machines_found_and_join_nothing(organisation, stranger):
    theirs = stranger.organisations.get()
    invite, link = theirs.invites.create(email="kim@example.org"), theirs.invite_links.create()
    client = machine_client(make_key(organisation))

    responses = [
        client.post("/api/v1/organisations/", {"name": "New"}),
        client.post(f"/api/v1/users/join/{invite.hash}/"),
        client.post(f"/api/v1/users/join/link/{link.hash}/"),
    ]

    assert [each.status_code for each in responses] == [403] * 3
    assert theirs.memberships.count() == 1
