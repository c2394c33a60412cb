"""Signing in with Google and GitHub, against a server that speaks as they do."""

import time

import pytest
from rest_framework.test import APIClient

from accounts.mfa.tests.factories import App
from accounts.tests.providers import OAuthServer
from organisations.models import Organisation
from users.models import User
from users.tests.factories import make_user

GOOGLE, GITHUB = "/api/v1/auth/oauth/google/", "/api/v1/auth/oauth/github/"
BOTH = pytest.mark.parametrize("path", [GOOGLE, GITHUB])

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    server = OAuthServer()
    with server.running():
        server.use_in(settings)
        yield server


def sign_in(path: str, **body: object):
    token = OAuthServer.TOKEN if path == GOOGLE else OAuthServer.CODE
    return APIClient().post(path, {"access_token": token, **body})


@BOTH
def test_somebody_new_gets_an_account_and_a_token(path, server):
    response = sign_in(path, sign_up_type="NO_INVITE", hubspot_cookie="x", utm_data={"utm_source": "a"})

    user = User.objects.get()
    me = APIClient(headers={"Authorization": f"Token {response.json()['key']}"}).get("/api/v1/auth/users/me/")
    assert (response.status_code, response.json()["is_new_user"]) == (200, True)
    assert (user.email, user.first_name, user.last_name) == ("ada@example.org", "Ada", "Byron")
    assert me.json()["auth_type"] == ("GOOGLE" if path == GOOGLE else "GITHUB")
    assert me.json()["sign_up_type"] == "NO_INVITE"
    assert not user.has_usable_password()


@BOTH
def test_an_account_with_the_same_address_in_any_letter_case_is_theirs(path, server):
    user = make_user(email="ada@example.org")

    response = sign_in(path)

    user.refresh_from_db()
    assert (response.status_code, response.json()["is_new_user"]) == (200, False)
    assert response.json()["key"] == user.auth_token.key
    assert (user.google_user_id, user.github_user_id) == (
        ("1234567890", None) if path == GOOGLE else (None, "4711")
    )


def test_one_account_may_be_known_at_both(server):
    sign_in(GOOGLE)
    sign_in(GITHUB)

    user = User.objects.get()
    assert (user.google_user_id, user.github_user_id) == ("1234567890", "4711")


def test_an_id_belongs_to_whoever_has_the_address_now(server):
    before = make_user(google_user_id="1234567890")

    assert sign_in(GOOGLE).json()["is_new_user"]

    before.refresh_from_db()
    assert before.google_user_id is None


@BOTH
def test_a_second_factor_is_the_providers_business(path, server):
    App(make_user(email="ada@example.org"))

    assert list(sign_in(path).json()) == ["key", "is_new_user"]


def no_verified_address_at_google(server: OAuthServer) -> None:
    server.google["verified_email"] = False


def nothing_said_of_it_by_google(server: OAuthServer) -> None:
    del server.google["verified_email"]


def no_address_at_google(server: OAuthServer) -> None:
    del server.google["email"]


def no_verified_address_at_github(server: OAuthServer) -> None:
    server.addresses[1]["verified"] = False


def no_addresses_at_github(server: OAuthServer) -> None:
    server.addresses = []


def a_token_for_another_application(server: OAuthServer) -> None:
    server.audience = "another-client-id"


def no_address_at_all(server: OAuthServer) -> None:
    server.google["email"] = "x" * 300 + "@example.org"


@pytest.mark.parametrize(
    ("path", "spoil"),
    [
        (GOOGLE, no_verified_address_at_google),
        (GOOGLE, nothing_said_of_it_by_google),
        (GOOGLE, no_address_at_google),
        (GOOGLE, a_token_for_another_application),
        (GOOGLE, no_address_at_all),
        (GITHUB, no_verified_address_at_github),
        (GITHUB, no_addresses_at_github),
    ],
)
def test_an_address_that_nobody_vouches_for_opens_no_account(path, spoil, server):
    user = make_user(email="ada@example.org")
    spoil(server)

    response = sign_in(path)

    assert (response.status_code, list(response.json())) == (400, ["message"])
    assert list(User.objects.values_list("pk", flat=True)) == [user.pk]
    user.refresh_from_db()
    assert (user.last_login, user.auth_type) == (None, "EMAIL")


@pytest.mark.parametrize("path", [GOOGLE, GITHUB])
def test_a_token_that_the_provider_does_not_know_is_refused(path, server):
    response = sign_in(path, access_token="forged")

    assert (response.status_code, list(response.json())) == (400, ["message"])


@pytest.mark.parametrize(
    "answer",
    [b"", b"no JSON", b"[]", b"null", b'{"id": null}', b'{"id": {}}', b"[" * 100_000, b"x" * 300_000],
)
@pytest.mark.parametrize(
    "route", ["/tokeninfo", "/userinfo", "/login/oauth/access_token", "/user", "/user/emails"]
)
def test_what_makes_no_sense_is_the_providers_fault(answer, route, server):
    server.routes[route] = lambda form, headers: (200, answer)

    response = sign_in(GOOGLE if "info" in route else GITHUB)

    assert (response.status_code, list(response.json())) in [(502, ["message"]), (400, ["message"])]
    assert not User.objects.exists()


@BOTH
@pytest.mark.parametrize("status", [301, 404, 500, 503])
def test_a_failure_of_the_provider_is_a_502(path, status, server):
    for route in server.routes:
        server.routes[route] = lambda form, headers: (status, b"{}")

    response = sign_in(path)

    assert (response.status_code, list(response.json())) == (502, ["message"])


@BOTH
def test_a_provider_that_hangs_holds_nobody_up(path, server):
    server.hangs = True
    started = time.monotonic()

    response = sign_in(path)

    assert response.status_code == 502
    assert time.monotonic() - started < 5


def test_a_provider_that_is_away_is_a_502(server, settings):
    settings.GOOGLE_TOKENINFO_URL = "http://127.0.0.1:1/"

    assert sign_in(GOOGLE).status_code == 502


@BOTH
def test_what_is_not_set_up_is_said(path, settings):
    settings.GOOGLE_CLIENT_ID = settings.GITHUB_CLIENT_ID = ""

    response = sign_in(path)

    assert (response.status_code, list(response.json())) == (400, ["message"])


@pytest.mark.parametrize(
    "body", [{}, {"access_token": ""}, {"access_token": "a", "sign_up_type": "BY_FORCE"}]
)
def test_what_is_wrong_with_a_request_is_said_by_field(body, server):
    response = APIClient().post(GOOGLE, body)

    assert response.status_code == 400
    assert server.asked == []


@BOTH
def test_somebody_new_needs_an_invitation_where_all_do(path, server, settings):
    settings.ALLOW_REGISTRATION_WITHOUT_INVITE = False

    assert sign_in(path).status_code == 403
    assert not User.objects.exists()

    make_user(email="ada@example.org")
    assert sign_in(path).status_code == 200


@BOTH
def test_an_inactive_account_stays_closed(path, server):
    user = make_user(email="ada@example.org", is_active=False)

    assert sign_in(path).status_code == 403
    user.refresh_from_db()
    assert (user.is_active, user.auth_type) == (False, "EMAIL")


def test_cookie_mode_answers_with_a_cookie(server, settings):
    settings.COOKIE_AUTH_ENABLED = True

    response = sign_in(GOOGLE)

    assert (response.status_code, response.content) == (204, b"")
    assert "jwt" in response.cookies


def test_addresses_of_a_domain_sign_in_only_as_it_says(server, settings):
    settings.SIGN_IN_METHODS_BY_DOMAIN = {"example.org": ["github"]}

    refused = sign_in(GOOGLE)

    assert refused.status_code == 403
    assert "github" in refused.json()["detail"]
    assert sign_in(GITHUB).status_code == 200


def test_names_of_other_than_two_words_are_not_split(server):
    server.github["name"] = "Augusta Ada King"

    sign_in(GITHUB)

    assert User.objects.get().get_full_name() == ""
    assert not Organisation.objects.exists()
