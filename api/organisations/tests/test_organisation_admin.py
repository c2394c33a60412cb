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
