"""Deleting accounts."""

import threading

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from organisations.models import MemberRole, Organisation
from users.models import User
from users.tests.factories import PASSWORD, make_user

ME = "/api/v1/auth/users/me/"
USERS = "/api/v1/auth/users/"

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> APIClient:
    return APIClient(headers={"Authorization": f"Token {Token.objects.get_or_create(user=user)[0].key}"})


def delete(user: User, path: str = ME, **body):
    return signed_in(user).delete(path, {"current_password": PASSWORD, **body})


def member(organisation: Organisation, role: MemberRole) -> User:
    user = make_user()
    organisation.memberships.create(user=user, role=role)
    return user


def test_an_account_is_deleted_with_its_password(db):
    user = make_user()
    client = signed_in(user)

    response = client.delete(ME, {"current_password": PASSWORD})

    assert (response.status_code, response.content) == (204, b"")
    assert not User.objects.exists()
    assert client.get(ME).status_code == 401


@pytest.mark.parametrize(
    "body",
    [{}, {"current_password": "wrong"}, {"current_password": ""}, {"current_password": None}],
)
def test_without_the_password_nothing_is_deleted(body):
    user = make_user()

    response = signed_in(user).delete(ME, body)

    assert (response.status_code, list(response.json())) == (400, ["current_password"])
    assert User.objects.exists()


@pytest.mark.parametrize("body", [[], "text", {"delete_orphan_organisations": "perhaps"}])
def test_a_malformed_wish_deletes_nothing(body):
    user = make_user(password=None)

    assert signed_in(user).delete(ME, body).status_code == 400
    assert User.objects.exists()


def test_who_signs_in_elsewhere_has_no_password_to_give():
    user = make_user(password=None, google_user_id="1")

    assert signed_in(user).delete(ME).status_code == 204


@pytest.mark.parametrize(("asked", "remains"), [(True, False), (False, True), (None, True)])
def test_organisations_of_nobody_else_are_deleted_if_that_is_asked(asked, remains, organisation, admin):
    shared = Organisation.objects.create(name="Shared")
    shared.memberships.create(user=admin, role=MemberRole.USER)
    member(shared, MemberRole.ADMIN)
    body = {} if asked is None else {"delete_orphan_organisations": asked}

    response = delete(admin, **body)

    assert response.status_code == 204
    assert Organisation.objects.filter(pk=organisation.pk).exists() is remains
    assert Organisation.objects.filter(pk=shared.pk).exists()


def test_the_last_administrator_of_others_stays_and_is_told_of_what(organisation, admin, member):
    response = delete(admin, delete_orphan_organisations=True)

    assert response.status_code == 400
    assert response.json() == {
        "detail": "You are the last administrator of 'Acme'. Make another member an administrator first.",
        "code": "last_administrator",
    }
    assert User.objects.filter(pk=admin.pk).exists()


def test_an_administrator_beside_another_may_go(organisation, admin):
    member(organisation, MemberRole.ADMIN)

    assert delete(admin).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_go_at_once_one_stays(organisation, admin, member):
    administrators = [admin, make_user()]
    organisation.memberships.create(user=administrators[1], role=MemberRole.ADMIN)
    clients = [signed_in(user) for user in administrators]
    together = threading.Barrier(2)
    statuses = []

    def go(client: APIClient) -> None:
        together.wait(5)
        statuses.append(client.delete(ME, {"current_password": PASSWORD}).status_code)
        connection.close()

    threads = [threading.Thread(target=go, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(statuses) == [204, 400]
    assert organisation.memberships.filter(role=MemberRole.ADMIN).count() == 1


def test_ones_own_account_can_be_deleted_by_its_id():
    user = make_user()

    assert delete(user, f"{USERS}{user.pk}/").status_code == 204


def test_another_account_and_none_at_all_look_the_same():
    user, other = make_user(), make_user()

    responses = [delete(user, f"{USERS}{pk}/") for pk in (other.pk, 2**31 - 1, 10**30)]

    assert [(each.status_code, each.json()) for each in responses] == [(404, {"detail": "Not found."})] * 3
    assert User.objects.filter(pk=other.pk).exists()


def test_staff_delete_others_with_their_own_password_but_no_superuser():
    staff, other = make_user(is_staff=True), make_user(password="other-Quagga-42")
    superuser = make_user(is_staff=True, is_superuser=True)

    assert delete(staff, f"{USERS}{superuser.pk}/").status_code == 404
    assert delete(staff, f"{USERS}{other.pk}/", current_password="other-Quagga-42").status_code == 400
    assert delete(staff, f"{USERS}{other.pk}/").status_code == 204
    assert delete(superuser, f"{USERS}{staff.pk}/").status_code == 204


@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_accounts_are_not_shown_by_id(method):
    user = make_user()
    path = f"{USERS}{user.pk}/"

    assert getattr(signed_in(user), method)(path).status_code == 404
    assert getattr(APIClient(), method)(path).status_code == 401
    assert APIClient().delete(path).status_code == 401


def test_accounts_are_not_listed():
    assert signed_in(make_user()).get(USERS).status_code == 404
    assert APIClient().get(USERS).status_code == 401
