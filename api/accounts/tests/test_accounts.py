"""Registering, and one's own account."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from users.models import User
from users.tests.factories import PASSWORD, make_user

USERS = "/api/v1/auth/users/"
ME = "/api/v1/auth/users/me/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> APIClient:
    return APIClient()


@pytest.fixture
def ada() -> dict:
    return {
        "email": "Ada@Example.org",
        "password": PASSWORD,
        "first_name": "Ada",
        "last_name": "Byron",
        "sign_up_type": "NO_INVITE",
    }


def test_registering_makes_an_account_that_is_signed_in(visitor, ada):
    response = visitor.post(USERS, ada)

    user = User.objects.get()
    key = response.json().pop("key")
    assert response.status_code == 201
    assert {name: value for name, value in response.json().items() if name != "key"} == {
        "first_name": "Ada",
        "last_name": "Byron",
        "sign_up_type": "NO_INVITE",
        "email": "ada@example.org",
        "id": user.pk,
        "is_active": True,
        "marketing_consent_given": True,
        "uuid": str(user.uuid),
    }
    assert APIClient(headers={"Authorization": f"Token {key}"}).get(ME).json()["id"] == user.pk
    assert not user.is_superuser


def test_what_dashboards_send_besides_is_tolerated(visitor, ada):
    extras = {
        "hubspotutk": "x",
        "utm_data": {"utm_source": "a"},
        "marketing_consent_given": False,
        "re_password": "other",
        "referrer": None,
        "is_superuser": True,
        "is_staff": True,
    }

    response = visitor.post(USERS, {**ada, **extras})

    user = User.objects.get()
    assert response.status_code == 201
    assert response.json()["marketing_consent_given"] is True
    assert not user.is_superuser
    assert not user.is_staff


def test_a_stale_token_does_no_harm_when_registering(ada):
    response = APIClient(headers={"Authorization": "Token stale"}).post(USERS, ada)

    assert response.status_code == 201


def test_an_address_is_taken_in_every_letter_case(visitor, ada):
    make_user(email="ada@example.org")

    response = visitor.post(USERS, {**ada, "email": "ADA@example.ORG"})

    assert response.status_code == 400
    assert response.json() == {"email": ["A user with that e-mail address already exists."]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "password"),
        ("password", "8462817364"),
        ("password", "ada.byron@example.org"),
        ("email", "no address"),
        ("email", "a" * 250 + "@example.org"),
        ("email", "nul\0@example.org"),
        ("first_name", ""),
        ("first_name", "x" * 151),
        ("last_name", None),
        ("sign_up_type", "BY_FORCE"),
    ],
)
def test_what_is_wrong_with_a_registration_is_said_by_field(field, value, visitor, ada):
    body = {**ada, "email": "ada.byron@example.org", field: value}

    response = visitor.post(USERS, body)

    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not User.objects.exists()


def test_the_first_of_all_users_may_become_superuser_and_no_other(visitor, ada):
    first = visitor.post(USERS, {**ada, "superuser": True})
    second = visitor.post(USERS, {**ada, "email": "kim@example.org", "superuser": True})

    assert first.status_code == 201
    assert User.objects.get().is_superuser
    assert (second.status_code, list(second.json())) == (400, ["superuser"])


@pytest.mark.django_db(transaction=True)
def test_of_two_who_come_first_at_once_one_becomes_superuser(ada):
    together = threading.Barrier(2)

    def register(email: str) -> None:
        together.wait(5)
        APIClient().post(USERS, {**ada, "email": email, "superuser": True})
        connection.close()

    threads = [threading.Thread(target=register, args=(f"{name}@example.org",)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [user.is_superuser for user in User.objects.all()] == [True]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_register_one_address_at_once_one_gets_it(ada):
    together = threading.Barrier(2)
    statuses = []

    def register(email: str) -> None:
        together.wait(5)
        statuses.append(APIClient().post(USERS, {**ada, "email": email}).status_code)
        connection.close()

    threads = [
        threading.Thread(target=register, args=(email,)) for email in ("a@example.org", "A@example.org")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(statuses) == [201, 400]
    assert User.objects.count() == 1


def test_ones_own_account(client_of):
    user = make_user(first_name="Ada", last_name="Byron", last_login=timezone.now())

    response = client_of(user).get(ME)

    assert response.status_code == 200
    assert response.json() == {
        "first_name": "Ada",
        "last_name": "Byron",
        "sign_up_type": None,
        "id": user.pk,
        "email": user.email,
        "auth_type": "EMAIL",
        "is_superuser": False,
        "date_joined": user.date_joined.isoformat().replace("+00:00", "Z"),
        "uuid": str(user.uuid),
        "pylon_email_signature": None,
        "onboarding": None,
    }


def test_nobody_has_no_account(visitor):
    assert visitor.get(ME).status_code == 401
    assert visitor.patch(ME, {"first_name": "Ada"}).status_code == 401


@pytest.mark.parametrize("method", ["put", "patch"])
def test_names_can_be_changed_and_nothing_that_gives_power(method, client_of):
    user = make_user(email="ada@example.org")
    body = {"first_name": "Augusta", "last_name": "King", "email": "other@example.org", "is_superuser": True}

    response = getattr(client_of(user), method)(ME, body)

    user.refresh_from_db()
    assert response.status_code == 200
    assert (response.json()["first_name"], response.json()["last_name"]) == ("Augusta", "King")
    assert (user.email, user.first_name, user.is_superuser) == ("ada@example.org", "Augusta", False)


def test_a_patch_answers_with_the_whole_account(client_of):
    client = client_of(make_user())

    assert client.patch(ME, {"first_name": "Ada"}).json().keys() == client.get(ME).json().keys()


@pytest.mark.parametrize(("minutes_ago", "is_noted"), [(29, False), (31, True), (None, True)])
def test_using_an_account_is_noted_now_and_then(minutes_ago, is_noted, client_of):
    before = timezone.now() - timedelta(minutes=minutes_ago) if minutes_ago else None
    user = make_user(last_login=before)

    client_of(user).get(ME)

    user.refresh_from_db()
    assert (user.last_login != before) is is_noted


def test_two_addresses_that_differ_in_letter_case_only_are_one_in_the_database():
    make_user(email="ada@example.org")

    assert User.objects.get_by_natural_key("ADA@example.org").email == "ada@example.org"
