"""Cookie mode."""

from datetime import timedelta

import jwt
import pytest
from django.conf import settings as configured
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.checks import check_browsers_keep_cookies, check_cookies_are_for_known_origins
from users.models import User
from users.tests.factories import PASSWORD, make_user

LOGIN = "/api/v1/auth/login/"
LOGOUT = "/api/v1/auth/logout/"
USERS = "/api/v1/auth/users/"
ME = "/api/v1/auth/users/me/"
OWN = "http://testserver"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cookie_mode(settings):
    settings.COOKIE_AUTH_ENABLED = True
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboard.example.org"]


@pytest.fixture
def user() -> User:
    return make_user(email="ada@example.org")


@pytest.fixture
def browser(user) -> APIClient:
    """A client that is signed in by cookie."""
    client = APIClient()
    response = client.post(LOGIN, {"email": user.email, "password": PASSWORD})
    assert (response.status_code, response.content) == (204, b"")
    return client


def with_claims(user: User, **claims) -> APIClient:
    client = APIClient()
    all_claims = {
        "user_id": user.pk,
        "session": user.get_session_auth_hash(),
        "exp": timezone.now() + timedelta(hours=1),
        **claims,
    }
    client.cookies["jwt"] = jwt.encode(
        {name: value for name, value in all_claims.items() if value is not None},
        configured.SECRET_KEY,
        "HS256",
    )
    return client


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(browser):
    cookie = browser.cookies["jwt"]

    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (
        True,
        True,
        "Lax",
        "/",
    )
    assert cookie["max-age"] == 600 * 60


def test_the_cookies_attributes_can_be_configured(settings, user):
    settings.USE_SECURE_COOKIES, settings.COOKIE_SAME_SITE = False, "None"
    settings.COOKIE_AUTH_JWT_ACCESS_TOKEN_LIFETIME_MINUTES = 5
    client = APIClient()

    client.post(LOGIN, {"email": user.email, "password": PASSWORD})

    cookie = client.cookies["jwt"]
    assert (cookie["secure"], cookie["samesite"], cookie["max-age"]) == ("", "None", 300)


def test_the_cookie_signs_a_request_in(browser, user):
    assert browser.get(ME).json()["id"] == user.pk


def test_registering_sets_the_cookie_and_answers_without_a_key():
    client = APIClient()

    response = client.post(
        USERS, {"email": "kim@example.org", "password": PASSWORD, "first_name": "Kim", "last_name": "Lee"}
    )

    assert response.status_code == 201
    assert "key" not in response.json()
    assert client.get(ME).json()["email"] == "kim@example.org"


def test_a_cookie_is_accepted_where_none_is_issued(settings, browser):
    settings.COOKIE_AUTH_ENABLED = False

    assert browser.get(ME).status_code == 200


def test_a_key_of_its_own_signs_cookies(settings, browser):
    settings.COOKIE_AUTH_JWT_SIGNING_KEY = "another key, of at least thirty-two bytes"

    assert browser.get(ME).status_code == 401


def test_signing_out_clears_the_cookie_and_makes_copies_of_it_worthless(browser):
    stolen = APIClient()
    stolen.cookies["jwt"] = browser.cookies["jwt"].value

    response = browser.post(LOGOUT, headers={"Origin": OWN})

    assert response.status_code == 204
    assert response.cookies["jwt"].value == ""
    assert stolen.get(ME).status_code == 401


def change_password(user: User) -> None:
    user.set_password("another-Quagga-42")
    user.save()


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(user: User) -> None:
    user.delete()


@pytest.mark.parametrize("end", [change_password, deactivate, delete])
def test_the_cookie_ends_with_its_sessions(end, browser, user):
    end(user)

    assert browser.get(ME).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": timezone.now() - timedelta(minutes=1)},
        {"exp": None},
        {"session": None},
        {"session": "é"},
        {"session": 5},
        {"user_id": None},
        {"user_id": "x"},
        {"user_id": 2**70},
        {"user_id": [1]},
        {"user_id": {"a": 1}},
    ],
)
def test_a_bad_cookie_is_ignored(claims, user):
    assert with_claims(user).get(ME).status_code == 200
    assert with_claims(user, **claims).get(ME).status_code == 401
    assert (
        with_claims(user, **claims).post(LOGIN, {"email": user.email, "password": PASSWORD}).status_code
        == 204
    )


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "é", "\0"])
def test_a_cookie_that_is_no_token_is_ignored_and_another_credential_counts(value, user):
    key = APIClient().post(LOGIN, {"email": user.email, "password": PASSWORD}) and user.auth_token.key
    client = APIClient(headers={"Authorization": f"Token {key}"})
    client.cookies["jwt"] = value

    assert client.get(ME).json()["id"] == user.pk


def test_a_token_without_a_signature_is_ignored(user):
    client = APIClient()
    claims = {"user_id": user.pk, "session": user.get_session_auth_hash(), "exp": 2**33}
    client.cookies["jwt"] = jwt.encode(claims, "", "none")

    assert client.get(ME).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": OWN},
        {"Origin": "https://testserver"},
        {"Origin": "https://dashboard.example.org"},
        {"Referer": f"{OWN}/some/page?of=it"},
    ],
)
def test_own_pages_and_allowed_ones_may_change_something(headers, browser):
    assert browser.patch(ME, {"first_name": "Augusta"}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example.org"},
        {"Origin": "https://testserver.evil.example.org"},
        {"Origin": "https://evil.example.org", "Referer": f"{OWN}/"},
        {"Referer": "https://evil.example.org/testserver"},
        {"Referer": "http://[broken"},
        {"Referer": "testserver"},
    ],
)
def test_other_pages_change_nothing_and_are_told_why(headers, browser, user):
    response = browser.patch(ME, {"first_name": "Mallory"}, headers=headers)

    user.refresh_from_db()
    assert (response.status_code, list(response.json())) == (403, ["detail"])
    assert user.first_name == "Kim"
    assert browser.get(ME, headers=headers).status_code == 200


def test_pages_of_the_configured_site_and_of_trusted_origins_may_change_something(settings, browser):
    settings.FLAGSMITH_DOMAIN = "flags.example.org"
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.net"]

    for origin in ("https://flags.example.org", "https://app.example.net"):
        assert browser.patch(ME, {"first_name": "A"}, headers={"Origin": origin}).status_code == 200
    assert (
        browser.patch(ME, {"first_name": "A"}, headers={"Origin": "http://app.example.net"}).status_code
        == 403
    )


def test_no_other_page_signs_a_browser_in_as_somebody_else(user):
    headers = {"Origin": "https://evil.example.org"}
    newcomer = {"email": "eve@example.org", "password": PASSWORD, "first_name": "Eve", "last_name": "Lee"}

    responses = [
        APIClient().post(LOGIN, {"email": user.email, "password": PASSWORD}, headers=headers),
        APIClient().post(USERS, newcomer, headers=headers),
    ]

    assert [(each.status_code, "jwt" in each.cookies) for each in responses] == [(403, False)] * 2
    assert User.objects.count() == 1


def test_a_token_in_a_header_needs_no_origin(settings, user):
    settings.COOKIE_AUTH_ENABLED = False
    key = APIClient().post(LOGIN, {"email": user.email, "password": PASSWORD}).json()["key"]

    response = APIClient(headers={"Authorization": f"Token {key}"}).patch(ME, {"first_name": "Augusta"})

    assert response.status_code == 200


def test_settings_that_hand_cookies_to_every_page_are_found(settings):
    settings.CORS_ALLOW_ALL_ORIGINS = settings.CORS_ALLOW_CREDENTIALS = True

    assert [each.id for each in check_cookies_are_for_known_origins()] == ["accounts.W001"]


def test_settings_whose_cookies_no_browser_keeps_are_found(settings):
    assert check_browsers_keep_cookies() == []
    settings.COOKIE_SAME_SITE, settings.USE_SECURE_COOKIES = "None", False

    assert [each.id for each in check_browsers_keep_cookies()] == ["accounts.W002"]
