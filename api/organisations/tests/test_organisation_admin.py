"""Organisations in the admin."""

import pytest

from organisations.models import MemberRole, Organisation
from users.models import User
from users.tests.factories import make_user

ADD = "/admin/organisations/organisation/add/"


def form(memberships: list[dict], **fields) -> dict:
    rows = {
        f"memberships-{number}-{name}": value
        for number, row in enumerate(memberships)
        for name, value in row.items()
    }
    initial = sum("id" in row for row in memberships)
    return {
        "name": "Acme",
        "persist_trait_data": "on",
        "memberships-TOTAL_FORMS": len(memberships),
        "memberships-INITIAL_FORMS": initial,
        "groups-TOTAL_FORMS": 0,
        "groups-INITIAL_FORMS": 0,
        **rows,
        **fields,
    }


def row_of(organisation: Organisation, user: User, role: MemberRole, **fields) -> dict:
    membership = organisation.memberships.get(user=user)
    return {
        "id": membership.pk,
        "organisation": organisation.pk,
        "user": user.pk,
        "role": role.value,
        **fields,
    }


def change(client, organisation: Organisation, memberships: list[dict], **fields):
    path = f"/admin/organisations/organisation/{organisation.pk}/change/"
    return client.post(path, form(memberships, **fields))


def test_an_organisation_is_made_with_its_administrator(superuser_client):
    user = make_user()

    response = superuser_client.post(ADD, form([{"user": user.pk, "role": "ADMIN"}]))

    assert response.status_code == 302, response.content
    assert Organisation.objects.get().memberships.get().role == MemberRole.ADMIN


def test_an_organisation_without_an_administrator_is_not_made(superuser_client):
    response = superuser_client.post(ADD, form([{"user": make_user().pk, "role": "USER"}]))

    assert response.status_code == 200
    assert "An organisation needs an administrator." in response.content.decode()
    assert not Organisation.objects.exists()


def test_the_last_administrator_is_neither_demoted_nor_removed(superuser_client, organisation, admin, member):
    staying = row_of(organisation, member, MemberRole.USER)

    demoted = change(superuser_client, organisation, [row_of(organisation, admin, MemberRole.USER), staying])
    removed = change(
        superuser_client, organisation, [row_of(organisation, admin, MemberRole.ADMIN, DELETE="on"), staying]
    )

    assert (demoted.status_code, removed.status_code) == (200, 200)
    assert organisation.memberships.get(user=admin).role == MemberRole.ADMIN


def test_two_members_swap_their_roles_at_once(superuser_client, organisation, admin, member):
    rows = [row_of(organisation, admin, MemberRole.USER), row_of(organisation, member, MemberRole.ADMIN)]

    response = change(superuser_client, organisation, rows, name="Renamed")

    assert response.status_code == 302, response.content
    roles = dict(organisation.memberships.values_list("user_id", "role"))
    assert roles == {admin.pk: "USER", member.pk: "ADMIN"}
    assert Organisation.objects.get(pk=organisation.pk).name == "Renamed"


def test_who_is_added_joins_and_who_is_removed_leaves(superuser_client, organisation, admin, member):
    group = organisation.groups.create(name="Everybody", is_default=True)
    group.memberships.create(user=member)
    joining = make_user()
    rows = [
        row_of(organisation, admin, MemberRole.ADMIN),
        row_of(organisation, member, MemberRole.USER, DELETE="on"),
        {"user": joining.pk, "role": "USER"},
    ]

    response = change(superuser_client, organisation, rows)

    assert response.status_code == 302, response.content
    assert set(organisation.users.all()) == {admin, joining}
    assert list(group.users.all()) == [joining]


def test_a_place_is_not_handed_to_somebody_else(superuser_client, organisation, admin, member):
    rows = [
        row_of(organisation, admin, MemberRole.ADMIN),
        {**row_of(organisation, member, MemberRole.USER), "user": make_user().pk},
    ]

    change(superuser_client, organisation, rows)

    assert set(organisation.users.all()) == {admin, member}


def test_groups_are_made_changed_and_deleted_beside_their_organisation(superuser_client, organisation, admin):
    kept, gone = [organisation.groups.create(name=name) for name in ("Kept", "Gone")]
    groups = {
        "groups-TOTAL_FORMS": 3,
        "groups-INITIAL_FORMS": 2,
        "groups-0-id": kept.pk,
        "groups-0-name": "Renamed",
        "groups-1-id": gone.pk,
        "groups-1-name": "Gone",
        "groups-1-DELETE": "on",
        "groups-2-name": "New",
        "groups-2-is_default": "on",
    }

    response = change(
        superuser_client, organisation, [row_of(organisation, admin, MemberRole.ADMIN)], **groups
    )

    assert response.status_code == 302, response.content
    assert list(organisation.groups.values_list("name", "is_default", "external_id")) == [
        ("Renamed", False, None),
        ("New", True, None),
    ]


def group_form(group, rows: list[dict]) -> dict:
    initial = sum("id" in row for row in rows)
    fields = {
        f"memberships-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in row.items()
    }
    return {
        "name": group.name,
        "memberships-TOTAL_FORMS": len(rows),
        "memberships-INITIAL_FORMS": initial,
        **fields,
    }


def test_members_are_put_into_a_group_and_taken_out(superuser_client, organisation, admin, member):
    group = organisation.groups.create(name="Developers")
    leaving = group.memberships.create(user=admin)
    rows = [
        {"id": leaving.pk, "group": group.pk, "user": admin.pk, "DELETE": "on"},
        {"user": member.pk, "is_admin": "on"},
    ]

    response = superuser_client.post(
        f"/admin/organisations/group/{group.pk}/change/", group_form(group, rows)
    )

    assert response.status_code == 302, response.content
    assert list(group.memberships.values_list("user", "is_admin")) == [(member.pk, True)]


def test_only_members_are_in_groups(superuser_client, organisation, stranger):
    group = organisation.groups.create(name="Developers")
    path = f"/admin/organisations/group/{group.pk}/change/"

    response = superuser_client.post(path, group_form(group, [{"user": stranger.pk}]), follow=True)

    assert "These users do not belong to the organisation" in response.content.decode()
    assert not group.memberships.exists()


def test_an_invitation_that_is_added_is_sent(mailbox, superuser_client, organisation):
    group = organisation.groups.create(name="Developers")
    form = {
        "organisation": organisation.pk,
        "email": "kim@example.org",
        "role": "ADMIN",
        "permission_groups": [group.pk],
    }

    made = superuser_client.post("/admin/organisations/invite/add/", form)
    again = superuser_client.post("/admin/organisations/invite/add/", {**form, "email": "KIM@example.org"})

    invite = organisation.invites.get()
    assert (made.status_code, again.status_code) == (302, 200)
    assert "This e-mail address is invited already." in again.content.decode()
    assert (invite.role, list(invite.permission_groups.all())) == ("ADMIN", [group])
    assert mailbox.only()["To"] == "kim@example.org"


def test_an_invitation_has_no_groups_of_another_organisation(superuser_client, organisation, stranger):
    theirs = stranger.organisations.get().groups.create(name="Theirs")
    form = {
        "organisation": organisation.pk,
        "email": "kim@example.org",
        "role": "USER",
        "permission_groups": [theirs.pk],
    }

    response = superuser_client.post("/admin/organisations/invite/add/", form)

    assert response.status_code == 200
    assert not organisation.invites.exists()


def test_the_pages_of_invitations_show_no_secret(superuser_client, organisation):
    invite, link = organisation.invites.create(email="kim@example.org"), organisation.invite_links.create()

    pages = [
        superuser_client.get("/admin/organisations/invite/"),
        superuser_client.get(f"/admin/organisations/invite/{invite.pk}/change/"),
        superuser_client.get("/admin/organisations/invitelink/"),
    ]

    assert {each.status_code for each in pages} == {200}
    assert not any(hash in each.content.decode() for each in pages for hash in (invite.hash, link.hash))


def test_a_webhook_into_a_private_network_is_refused(superuser_client, organisation):
    form = {"organisation": organisation.pk, "url": "http://10.0.0.1/", "enabled": "on"}

    refused = superuser_client.post("/admin/organisations/organisationwebhook/add/", form)
    taken = superuser_client.post(
        "/admin/organisations/organisationwebhook/add/", {**form, "url": "https://93.184.215.14/"}
    )

    assert (refused.status_code, taken.status_code) == (200, 302)
    assert [each.url for each in organisation.webhooks.all()] == ["https://93.184.215.14/"]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/admin/organisations/organisation/{}/delete/", {"post": "yes"}),
        ("/admin/organisations/organisation/", {"action": "delete_selected", "post": "yes"}),
    ],
)
def test_deleting_is_soft_and_takes_along_what_is_below(
    path, form, superuser_client, organisation, project, environment
):
    superuser_client.post(path.format(organisation.pk), {**form, "_selected_action": organisation.pk})

    for row in (organisation, project, environment):
        assert not type(row).objects.filter(pk=row.pk).exists()
        assert type(row).all_objects.get(pk=row.pk).deleted_at is not None


def test_the_list_counts_members_and_living_projects(superuser_client, organisation, admin, member, project):
    project._meta.model.objects.create(organisation=organisation, name="Gone").delete()

    page = superuser_client.get("/admin/organisations/organisation/").content.decode()

    assert '<td class="field-members">2</td><td class="field-projects">1</td>' in page
