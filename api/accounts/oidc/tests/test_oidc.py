"""Signing in with OpenID Connect, in a browser, against a provider that the tests start."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from rest_framework.test import APIClient

from accounts.mfa.tests.factories import App
from accounts.oidc.models import OidcIdentity
from accounts.oidc.services import challenge_of
from accounts.oidc.tests.server import DISCOVERY, OidcServer
from users.models import User
from users.tests.factories import PASSWORD, make_user

LOGIN = "/oidc/acme/login/"
CODE = "/api/v1/auth/oidc/code/"
ME = "/api/v1/auth/users/me/"
DASHBOARD = "https://flags.acme.com/done"
VERIFIER = "v" * 43

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    server = OidcServer()
    with server.running():
        server.configure(settings)
        yield server


@pytest.fixture
def browser() -> Client:
    return Client()


def sign_in(browser: Client, server: OidcServer, **wishes: str):
    """Go to the provider and come back."""
    left = browser.get(LOGIN, wishes)
    assert left.status_code == 302, left.content
    return browser.get(server.authorise(left["Location"]))


def for_dashboard(settings) -> dict[str, str]:
    settings.OIDC_REDIRECT_ORIGINS = ["https://flags.acme.com"]
    return {"redirect": DASHBOARD, "code_challenge": challenge_of(VERIFIER)}


def code_in(response) -> str:
    return parse_qs(urlsplit(response["Location"]).query)["code"][0]


def exchange(code: str, verifier: str = VERIFIER):
    return APIClient().post(CODE, {"code": code, "code_verifier": verifier})


def test_somebody_new_gets_an_account_and_a_token(browser, server):
    response = sign_in(browser, server)

    user = User.objects.get()
    me = APIClient(headers={"Authorization": f"Token {response.json()['key']}"}).get(ME)
    assert (response.status_code, response.json()["is_new_user"]) == (200, True)
    assert (user.email, user.first_name, user.last_name) == ("ada@acme.com", "Ada", "Byron")
    assert (me.status_code, me.json()["id"]) == (200, user.pk)
    assert not user.has_usable_password()


def test_an_account_with_the_same_address_in_any_letter_case_is_theirs(browser, server):
    user = make_user(email="ada@acme.com")

    response = sign_in(browser, server)

    assert (response.json()["key"], response.json()["is_new_user"]) == (user.auth_token.key, False)


def test_an_identity_stays_its_users_when_the_address_changes_at_the_provider(browser, server):
    sign_in(browser, server)
    server.person["email"] = "augusta@acme.com"

    response = sign_in(browser, server)

    assert response.json()["is_new_user"] is False
    assert User.objects.get().email == "ada@acme.com"


def test_who_is_given_anothers_address_does_not_get_their_account(browser, server):
    sign_in(browser, server)
    server.person["sub"] = "somebody else"

    response = sign_in(Client(), server)

    assert response.status_code == 403
    assert OidcIdentity.objects.get().subject == "248289761001"


def test_the_admin_offers_it_and_it_ends_in_a_session_there(browser, server):
    make_user(email="ada@acme.com", is_staff=True, is_superuser=True)

    page = browser.get("/admin/login/?next=/admin/users/user/").content.decode()
    response = sign_in(browser, server, next="/admin/users/user/")

    assert "Log in with Acme" in page
    assert 'action="/oidc/acme/login/"' in page
    assert response["Location"] == "/admin/users/user/"
    assert browser.get("/admin/users/user/").status_code == 200


def test_the_admin_offers_it_too_where_it_takes_no_password(browser, server, settings):
    settings.ENABLE_ADMIN_ACCESS_USER_PASS = False

    page = browser.get("/admin/login/").content.decode()

    assert "Log in with Acme" in page
    assert "password" in page
    sign_in(browser, server, next="/admin/")
    assert browser.get("/admin/").status_code == 200


def test_a_provider_of_the_admin_lets_those_in_who_have_an_account(browser, server, settings):
    (provider,) = settings.OIDC_PROVIDERS
    settings.OIDC_PROVIDERS = [{**provider, "slug": "google-admin", "is_for_admin": True}]

    left = browser.get("/oidc/google-admin/login/")
    back = server.authorise(left["Location"])
    stranger = browser.get(back)
    make_user(email="ada@acme.com", is_staff=True, is_superuser=True)
    response = browser.get(server.authorise(browser.get("/oidc/google-admin/login/")["Location"]))

    assert urlsplit(back).path == "/admin/admin_sso/assignment/end/"
    assert stranger.status_code == 403
    assert User.objects.count() == 1
    assert response["Location"] == "/admin/"
    assert browser.get("/admin/users/user/").status_code == 200


def test_a_second_factor_is_the_providers_business(browser, server):
    App(make_user(email="ada@acme.com", is_staff=True, is_superuser=True))

    sign_in(browser, server, next="/admin/")

    assert browser.get("/admin/").status_code == 200


def test_the_session_ends_with_all_others(browser, server):
    user = make_user(email="ada@acme.com", is_staff=True, is_superuser=True)
    sign_in(browser, server, next="/admin/")

    User.objects.get(pk=user.pk).end_sessions()

    assert browser.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path", ["https://evil.example.org/admin/", "//evil.example.org/admin/", "/admin/\\evil", "/api/v1/", "x"]
)
def test_it_ends_nowhere_else(path, browser, server):
    response = sign_in(browser, server, next=path)

    assert response.status_code == 200
    assert "Location" not in response


def test_a_dashboard_gets_a_code_and_exchanges_it_for_a_token(browser, server, settings):
    response = sign_in(browser, server, **for_dashboard(settings))

    token = exchange(code_in(response))
    assert response["Location"].startswith(f"{DASHBOARD}?code=")
    assert (token.status_code, token.json()["is_new_user"]) == (200, True)
    assert token.json()["key"] == User.objects.get().auth_token.key


def test_a_code_works_once(browser, server, settings):
    code = code_in(sign_in(browser, server, **for_dashboard(settings)))

    assert [exchange(code).status_code for _ in range(2)] == [200, 400]


def test_a_code_is_worth_nothing_without_its_verifier(browser, server, settings):
    code = code_in(sign_in(browser, server, **for_dashboard(settings)))

    response = exchange(code, "w" * 43)

    assert (response.status_code, list(response.json())) == (400, ["code"])


def test_a_code_lasts_a_minute(browser, server, settings, monkeypatch):
    code = code_in(sign_in(browser, server, **for_dashboard(settings)))
    later = time.time() + 62

    monkeypatch.setattr("django.core.signing.time.time", lambda: later)

    assert exchange(code).status_code == 400


@pytest.mark.parametrize("forge", [lambda code: code[:-1] + "x", lambda code: "x", lambda code: code[5:]])
def test_a_forged_code_is_worth_nothing(forge, browser, server, settings):
    code = code_in(sign_in(browser, server, **for_dashboard(settings)))

    assert exchange(forge(code)).status_code == 400


@pytest.mark.parametrize(
    "wishes",
    [
        {"redirect": "https://evil.example.org/", "code_challenge": challenge_of(VERIFIER)},
        {"redirect": "https://flags.acme.com.evil.example.org/", "code_challenge": challenge_of(VERIFIER)},
        {"redirect": "javascript:alert(1)", "code_challenge": challenge_of(VERIFIER)},
        {"redirect": "https://[", "code_challenge": challenge_of(VERIFIER)},
        {"redirect": DASHBOARD},
        {"redirect": DASHBOARD, "code_challenge": "too short"},
    ],
)
def test_a_redirect_leads_to_a_known_dashboard_that_can_exchange_its_code(wishes, browser, server, settings):
    for_dashboard(settings)

    response = browser.get(LOGIN, wishes)

    assert response.status_code == 400


def test_cookie_mode_ends_with_a_cookie(browser, server, settings):
    settings.COOKIE_AUTH_ENABLED = True
    for_dashboard(settings)

    response = sign_in(browser, server, redirect=DASHBOARD)

    assert response["Location"] == DASHBOARD
    assert response.cookies["jwt"]["httponly"]


def assert_refused(response, status: int = 400) -> None:
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("text/html")
    assert not User.objects.filter(last_login__isnull=False).exists()


@pytest.mark.parametrize(
    "person",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "false"},
        {"email": None},
        {"email": "no address"},
        {"email": ["ada@acme.com"]},
        {"sub": ""},
    ],
)
def test_an_address_that_is_not_verified_opens_no_account(person, browser, server):
    make_user(email="ada@acme.com")
    server.claims = person

    assert_refused(sign_in(browser, server))


def test_a_provider_that_says_nothing_of_it_can_be_trusted(browser, server, settings):
    server.configure(settings, trusts_addresses=True)
    server.claims = {"email_verified": None}

    assert sign_in(browser, server).status_code == 200


def test_a_provider_that_says_it_is_not_verified_is_believed(browser, server, settings):
    server.configure(settings, trusts_addresses=True)
    server.claims = {"email_verified": False}

    assert_refused(sign_in(browser, server))


def test_the_address_may_come_from_the_userinfo_endpoint(browser, server):
    server.claims = {"email": None, "email_verified": None}
    server.userinfo = {"email": "ada@acme.com", "email_verified": True}

    assert sign_in(browser, server).status_code == 200
    assert User.objects.get().email == "ada@acme.com"


def test_what_userinfo_says_of_somebody_else_does_not_count(browser, server):
    server.claims = {"email": None, "email_verified": None}
    server.userinfo = {"sub": "somebody else", "email": "ada@acme.com", "email_verified": True}

    assert_refused(sign_in(browser, server))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.org"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client", "a third"]},
        {"aud": None},
        {"azp": "another client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(claims, browser, server):
    server.claims = claims

    assert_refused(sign_in(browser, server))


def test_a_token_that_another_key_signed_is_refused(browser, server):
    server.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert_refused(sign_in(browser, server))


@pytest.mark.parametrize(("algorithm", "key"), [("HS256", "the-client-secret" * 2), ("none", None)])
def test_a_token_that_the_provider_alone_did_not_sign_is_refused(algorithm, key, browser, server):
    server.algorithm, server.key = algorithm, key

    assert_refused(sign_in(browser, server))


def test_a_provider_may_replace_its_key(browser, server):
    sign_in(browser, server)
    server.replace_key("second")

    assert sign_in(browser, server).status_code == 200


def test_one_that_was_begun_in_another_browser_is_refused(browser, server):
    back = server.authorise(browser.get(LOGIN)["Location"])

    assert_refused(Client().get(back))


def test_nobody_comes_back_twice_with_the_same_answer(browser, server):
    back = server.authorise(browser.get(LOGIN)["Location"])

    assert browser.get(back).status_code == 200
    assert browser.get(back).status_code == 400


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x&code=y", "?error=access_denied", "?state=%00&code=%00"]
)
def test_coming_back_without_having_left_is_refused(query, browser, server):
    assert_refused(browser.get(f"/oidc/acme/callback/{query}"))


def test_whom_the_provider_turned_away_is_told(browser, server):
    back = server.authorise(browser.get(LOGIN)["Location"])
    state = parse_qs(urlsplit(back).query)["state"][0]

    assert_refused(browser.get("/oidc/acme/callback/", {"error": "access_denied", "state": state}))


@pytest.mark.parametrize("path", ["/oidc/other/login/", "/oidc/other/callback/"])
def test_a_provider_that_is_not_set_up_is_not_there(path, browser, server):
    assert browser.get(path).status_code == 404


def test_a_provider_that_hangs_holds_nobody_up(browser, server):
    server.hangs = True
    started = time.monotonic()

    response = browser.get(LOGIN)

    assert_refused(response, 502)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("route", ["/token", "/keys"])
def test_a_provider_that_hangs_later_holds_nobody_up_either(route, browser, server):
    back = server.authorise(browser.get(LOGIN)["Location"])
    server.routes[route] = lambda form, headers: server.released.wait(30)
    started = time.monotonic()

    assert_refused(browser.get(back), 502)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("answer", [(500, b""), (200, b"no JSON"), (200, b"[]"), (200, b"{}"), (404, b"{}")])
@pytest.mark.parametrize("route", [DISCOVERY, "/token", "/keys"])
def test_what_makes_no_sense_is_the_providers_fault(answer, route, browser, server):
    if route == DISCOVERY:
        server.routes[route] = lambda form, headers: answer
        response = browser.get(LOGIN)
    else:
        back = server.authorise(browser.get(LOGIN)["Location"])
        server.routes[route] = lambda form, headers: answer
        response = browser.get(back)

    assert_refused(response, response.status_code)
    assert response.status_code in {400, 502}


def test_a_provider_with_another_issuer_than_the_settings_say_is_refused(browser, server):
    server.metadata = {"issuer": "https://other.example.org"}

    assert_refused(browser.get(LOGIN), 502)


def test_somebody_new_needs_an_invitation_where_all_do(browser, server, settings):
    settings.ALLOW_REGISTRATION_WITHOUT_INVITE = False

    assert_refused(sign_in(browser, server), 403)
    assert not User.objects.exists()


def test_an_inactive_account_stays_closed(browser, server):
    make_user(email="ada@acme.com", is_active=False)

    assert_refused(sign_in(browser, server), 403)


def test_addresses_of_a_domain_sign_in_only_as_it_says(browser, server, settings):
    settings.SIGN_IN_METHODS_BY_DOMAIN = {"acme.com": ["oidc:acme"]}
    make_user(email="ada@acme.com")

    password = APIClient().post("/api/v1/auth/login/", {"email": "ada@acme.com", "password": PASSWORD})

    assert password.status_code == 403
    assert sign_in(browser, server).status_code == 200


def test_another_way_is_refused_for_a_known_identity_too(browser, server, settings):
    sign_in(browser, server)
    settings.SIGN_IN_METHODS_BY_DOMAIN = {"acme.com": ["google"]}

    assert sign_in(browser, server).status_code == 403


def test_a_superuser_sees_where_somebody_is_known(browser, server, superuser_client):
    sign_in(browser, server)
    user = User.objects.get(email="ada@acme.com")

    page = superuser_client.get(f"/admin/users/user/{user.pk}/change/").content.decode()

    assert "248289761001" in page
