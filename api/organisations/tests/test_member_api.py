"""The members of organisations over HTTP."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from organisations.models import MemberRole, Organisation
from users.tests.factories import make_user


def path_of(organisation: Organisation, rest: str = "users/") -> str:
    return f"/api/v1/organisations/{organisation.pk}/{rest}"


def roles_in(organisation: Organisation) -> dict[int, str]:
    return dict(organisation.memberships.values_list("user_id", "role"))


def test_members_see_each_other_in_a_bare_list(client_of, admin, member, organisation, stranger):
    admin.last_login = timezone.now()
    admin.save()

    response = client_of(member).get(path_of(organisation))

    assert response.status_code == 200
    assert [each["email"] for each in response.json()] == [admin.email, member.email]
    assert response.json()[0] == {
        "id": admin.pk,
        "email": admin.email,
        "first_name": "Kim",
        "last_name": "",
        "last_login": admin.last_login.isoformat().replace("+00:00", "Z"),
        "uuid": str(admin.uuid),
        "role": "ADMIN",
        "date_joined": admin.date_joined.isoformat().replace("+00:00", "Z"),
    }


@pytest.mark.parametrize(
    ("query", "number"), [("", 2), ("exclude_current=true", 1), ("exclude_current=false", 2)]
)
def test_the_caller_can_be_left_out(query, number, client_of, admin, member, organisation):
    response = client_of(member).get(f"{path_of(organisation)}?{query}")

    assert len(response.json()) == number
    assert response.json()[0]["id"] == admin.pk


def test_a_malformed_parameter_is_named(admin_client, organisation):
    response = admin_client.get(f"{path_of(organisation)}?exclude_current=perhaps")

    assert (response.status_code, list(response.json())) == (400, ["exclude_current"])


def test_an_organisation_that_never_was_is_as_closed_as_another_one(admin_client, stranger):
    paths = [f"/api/v1/organisations/{each}/users/" for each in (999_999, stranger.organisations.get().pk)]

    never_was, somebody_elses = [admin_client.get(path) for path in paths]

    assert (never_was.status_code, never_was.json()) == (403, somebody_elses.json())


def test_an_administrator_gives_a_member_another_role(admin_client, admin, member, organisation):
    response = admin_client.post(path_of(organisation, f"users/{member.pk}/update-role/"), {"role": "ADMIN"})

    assert response.status_code == 200
    assert (response.json()["id"], response.json()["role"]) == (member.pk, "ADMIN")
    assert roles_in(organisation) == {admin.pk: "ADMIN", member.pk: "ADMIN"}


@pytest.mark.parametrize("body", [{"role": "OWNER"}, {"role": None}, {"role": ["ADMIN"]}, {}])
def test_a_role_that_there_is_not_is_refused(body, admin_client, member, organisation):
    response = admin_client.post(path_of(organisation, f"users/{member.pk}/update-role/"), body)

    assert (response.status_code, list(response.json())) == (400, ["role"])
    assert roles_in(organisation)[member.pk] == "USER"


def test_the_role_of_somebody_elses_member_is_out_of_reach(
    admin_client, client_of, stranger, member, organisation
):
    theirs = admin_client.post(path_of(organisation, f"users/{stranger.pk}/update-role/"), {"role": "USER"})
    ours = client_of(stranger).post(
        path_of(organisation, f"users/{member.pk}/update-role/"), {"role": "ADMIN"}
    )

    assert (theirs.status_code, ours.status_code) == (404, 403)
    assert stranger.memberships.get().role == MemberRole.ADMIN
    assert roles_in(organisation)[member.pk] == "USER"


def test_members_give_no_roles_and_remove_nobody(client_of, member, admin, organisation):
    client = client_of(member)

    promoted = client.post(path_of(organisation, f"users/{member.pk}/update-role/"), {"role": "ADMIN"})
    removed = client.post(path_of(organisation, "remove-users/"), [{"id": admin.pk}])

    assert (promoted.status_code, removed.status_code) == (403, 403)
    assert roles_in(organisation) == {admin.pk: "ADMIN", member.pk: "USER"}


def test_an_administrator_removes_members(admin_client, client_of, admin, member, organisation):
    response = admin_client.post(path_of(organisation, "remove-users/"), [{"id": member.pk}])

    assert (response.status_code, response.json()) == (200, [{"id": member.pk}])
    assert roles_in(organisation) == {admin.pk: "ADMIN"}
    assert client_of(member).get(path_of(organisation)).status_code == 403


def test_removing_who_is_no_member_does_nothing(admin_client, admin, stranger, organisation):
    response = admin_client.post(path_of(organisation, "remove-users/"), [{"id": stranger.pk}])

    assert response.status_code == 200
    assert stranger.memberships.count() == 1
    assert roles_in(organisation) == {admin.pk: "ADMIN"}


def test_an_id_that_no_user_has_is_refused_and_nobody_is_removed(admin_client, member, organisation):
    response = admin_client.post(path_of(organisation, "remove-users/"), [{"id": member.pk}, {"id": 999999}])

    assert response.status_code == 400
    assert response.json() == [{}, {"id": ["There is no user with this id."]}]
    assert member.pk in roles_in(organisation)


@pytest.mark.parametrize("body", [{"id": 1}, [1], ["a"], [{"id": "a"}], [{}], [None], [{"id": 2**40}]])
def test_a_malformed_list_of_users_is_refused(body, admin_client, organisation):
    assert admin_client.post(path_of(organisation, "remove-users/"), body).status_code == 400


def test_the_last_administrator_stays_one(admin_client, admin, member, organisation):
    demoted = admin_client.post(path_of(organisation, f"users/{admin.pk}/update-role/"), {"role": "USER"})
    removed = admin_client.post(path_of(organisation, "remove-users/"), [{"id": admin.pk}])

    expected = {"non_field_errors": ["An organisation needs an administrator."]}
    assert [(each.status_code, each.json()) for each in (demoted, removed)] == [(400, expected)] * 2
    assert roles_in(organisation) == {admin.pk: "ADMIN", member.pk: "USER"}


def test_the_last_member_stays(admin_client, admin, organisation):
    response = admin_client.post(path_of(organisation, "remove-users/"), [{"id": admin.pk}])

    assert (response.status_code, response.json()["code"]) == (400, "last_member")
    assert roles_in(organisation) == {admin.pk: "ADMIN"}


def test_an_administrator_may_go_where_another_stays(admin_client, admin, member, organisation):
    organisation.memberships.filter(user=member).update(role=MemberRole.ADMIN)

    response = admin_client.post(path_of(organisation, "remove-users/"), [{"id": admin.pk}])

    assert response.status_code == 200
    assert roles_in(organisation) == {member.pk: "ADMIN"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leaving", ["users/{user}/update-role/", "remove-users/"])
def test_of_two_administrators_who_leave_at_once_one_stays(leaving, client_of, admin, organisation):
    other = make_user()
    organisation.memberships.create(user=other, role=MemberRole.ADMIN)
    organisation.memberships.create(user=make_user(), role=MemberRole.USER)
    together = threading.Barrier(2)
    statuses = []

    def leave(user) -> None:
        body = [{"id": user.pk}] if leaving == "remove-users/" else {"role": "USER"}
        together.wait(5)
        response = client_of(user).post(path_of(organisation, leaving.format(user=user.pk)), body)
        statuses.append(response.status_code)
        connection.close()

    threads = [threading.Thread(target=leave, args=(user,)) for user in (admin, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(statuses) == [200, 400]
    assert list(roles_in(organisation).values()).count("ADMIN") == 1
