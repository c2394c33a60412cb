"""What ends sessions: a token, and the admin's session cookie, are refused from the next request on."""

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from accounts.sessions import end_all_sessions
from users.models import User
from users.tests.factories import PASSWORD, make_user

ME = "/api/v1/auth/users/me/"
ADMIN = "/admin/"

pytestmark = pytest.mark.django_db


class SignedIn:
    """One person with a token, and with a browser in the admin."""

    def __init__(self, user: User) -> None:
        self.user = user
        key = (
            APIClient().post("/api/v1/auth/login/", {"email": user.email, "password": PASSWORD}).json()["key"]
        )
        self.api = APIClient(headers={"Authorization": f"Token {key}"})
        self.browser = Client()
        self.browser.force_login(user)

    def statuses(self) -> tuple[int, int]:
        return self.api.get(ME).status_code, self.browser.get(ADMIN).status_code


SIGNED_IN = (200, 200)
SIGNED_OUT = (401, 302)


@pytest.fixture
def person() -> SignedIn:
    return SignedIn(make_user(is_staff=True, is_superuser=True))


def sign_out(person: SignedIn) -> None:
    person.api.post("/api/v1/auth/logout/")


def delete_the_token(person: SignedIn) -> None:
    person.api.delete("/api/v1/auth/token/")


def set_another_password(person: SignedIn) -> None:
    user = User.objects.get(pk=person.user.pk)
    user.set_password("0123-quagga-JUMPS")
    user.save()


def withdraw_the_password(person: SignedIn) -> None:
    user = User.objects.get(pk=person.user.pk)
    user.set_unusable_password()
    user.save()


def deactivate(person: SignedIn) -> None:
    User.objects.filter(pk=person.user.pk).update(is_active=False)


def set_the_password_in_the_admin(person: SignedIn) -> None:
    superuser = Client()
    superuser.force_login(User.objects.create_superuser("root@example.org", PASSWORD))
    passwords = {
        "password1": "0123-quagga-JUMPS",
        "password2": "0123-quagga-JUMPS",
        "usable_password": "true",
    }
    superuser.post(f"/admin/users/user/{person.user.pk}/password/", passwords)


@pytest.mark.parametrize(
    "happens",
    [
        sign_out,
        delete_the_token,
        set_another_password,
        withdraw_the_password,
        deactivate,
        set_the_password_in_the_admin,
        lambda person: end_all_sessions(person.user),
    ],
)
def test_every_session_ends_at_once(happens, person):
    assert person.statuses() == SIGNED_IN

    happens(person)

    assert person.statuses() == SIGNED_OUT
    assert not Token.objects.filter(user=person.user).exists()


def test_other_peoples_sessions_stay(person):
    other = SignedIn(make_user(is_staff=True, is_superuser=True))

    end_all_sessions(person.user)

    assert other.statuses() == SIGNED_IN


def test_who_is_activated_again_signs_in_anew(person):
    deactivate(person)
    User.objects.filter(pk=person.user.pk).update(is_active=True)

    assert person.statuses() == SIGNED_OUT
    assert SignedIn(User.objects.get(pk=person.user.pk)).statuses() == SIGNED_IN


def test_a_password_that_is_only_hashed_anew_ends_nothing_of_the_api(settings, person):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]

    SignedIn(person.user)

    assert User.objects.get(pk=person.user.pk).password.startswith("pbkdf2")
    assert person.api.get(ME).status_code == 200


def test_saving_a_user_who_was_read_before_does_not_revive_sessions(person):
    read_before = User.objects.get(pk=person.user.pk)
    end_all_sessions(person.user)

    read_before.first_name = "Ada"
    read_before.save()

    assert person.statuses() == SIGNED_OUT
    assert User.objects.get(pk=person.user.pk).session_generation == person.user.session_generation


def test_a_password_that_is_replaced_while_it_is_checked_gives_no_token(monkeypatch):
    user = make_user()
    check = User.check_password

    def checked_and_replaced(self: User, password: str) -> bool:
        is_right = check(self, password)
        other = User.objects.get(pk=self.pk)
        other.set_password("0123-quagga-JUMPS")
        other.save()
        return is_right

    monkeypatch.setattr(User, "check_password", checked_and_replaced)

    response = APIClient().post("/api/v1/auth/login/", {"email": user.email, "password": PASSWORD})

    assert response.status_code == 400
    assert not Token.objects.exists()
