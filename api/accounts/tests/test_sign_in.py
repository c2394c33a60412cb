"""Signing in and out, being locked out, and being told to slow down."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from users.tests.factories import PASSWORD, make_user

LOGIN = "/api/v1/auth/login/"
ADMIN_LOGIN = "/admin/login/"
REFUSED = {"non_field_errors": ["Unable to log in with provided credentials."]}

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user(email="ada@example.org")


@pytest.fixture
def visitor() -> APIClient:
    return APIClient()


@pytest.fixture
def three_attempts(settings) -> int:
    settings.AXES_FAILURE_LIMIT = 3
    return 3


def set_rates(settings, **rates: str) -> None:
    rest_framework = settings.REST_FRAMEWORK
    rates = {**rest_framework["DEFAULT_THROTTLE_RATES"], **rates}
    settings.REST_FRAMEWORK = {**rest_framework, "DEFAULT_THROTTLE_RATES": rates}


def login(client: APIClient, email: str, password: str = PASSWORD):
    return client.post(LOGIN, {"email": email, "password": password})


def with_token(key: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Token {key}"})


@pytest.mark.parametrize("email", ["ada@example.org", "Ada@Example.ORG", " ada@example.org "])
def test_signing_in_gives_a_token_that_works(email, user, visitor):
    response = login(visitor, email)

    assert response.status_code == 200
    assert list(response.json()) == ["key"]
    assert with_token(response.json()["key"]).get("/api/v1/auth/users/me/").json()["id"] == user.pk


def test_signing_in_again_gives_the_same_token(user, visitor):
    assert login(visitor, user.email).json() == login(visitor, user.email).json()


def test_signing_in_is_seen_in_last_login(user, visitor):
    login(visitor, user.email)

    user.refresh_from_db()
    assert user.last_login is not None


def test_a_password_may_begin_and_end_with_blanks(visitor):
    user = make_user(password="  two blanks  ")

    assert login(visitor, user.email, "  two blanks  ").status_code == 200
    assert login(visitor, user.email, "two blanks").status_code == 400


def test_a_wrong_password_an_unknown_and_a_disabled_account_look_the_same(user, visitor):
    disabled = make_user(is_active=False)

    responses = [
        login(visitor, user.email, "wrong"),
        login(visitor, "nobody@example.org"),
        login(visitor, "no address"),
        login(visitor, disabled.email),
    ]

    assert [(each.status_code, each.json()) for each in responses] == [(400, REFUSED)] * 4


def test_a_field_that_is_missing_is_named(visitor):
    response = visitor.post(LOGIN, {})

    assert response.status_code == 400
    assert set(response.json()) == {"email", "password"}


def test_a_stale_token_does_no_harm_when_signing_in(user):
    response = login(with_token("0" * 40), user.email)

    assert response.status_code == 200


def test_signing_in_is_throttled(settings, user, visitor):
    set_rates(settings, login="2/min")

    responses = [login(visitor, user.email) for _ in range(3)]

    assert [each.status_code for each in responses] == [200, 200, 429]
    assert int(responses[-1]["Retry-After"]) > 0


def from_address(address: str) -> APIClient:
    return APIClient(headers={"X-Forwarded-For": address})


def test_logins_are_limited_by_address_whatever_a_client_forges(settings):
    set_rates(settings, login="2/min")
    forging = [from_address(f"203.0.113.{number}, 198.51.100.7") for number in range(3)]

    statuses = [login(client, f"{number}@example.org").status_code for number, client in enumerate(forging)]

    assert statuses == [400, 400, 429]


def test_a_header_of_a_peer_that_is_no_proxy_changes_nothing(settings):
    set_rates(settings, login="1/min")
    forging = [
        APIClient(headers={"X-Forwarded-For": f"203.0.113.{number}"}, REMOTE_ADDR="198.51.100.7")
        for number in range(2)
    ]

    statuses = [login(client, f"{number}@example.org").status_code for number, client in enumerate(forging)]

    assert statuses == [400, 429]


def test_logins_are_limited_by_account_however_many_addresses_try(settings, user):
    set_rates(settings, login="2/min")
    spellings = ["ada@example.org", "ADA@example.org", " Ada@example.org "]

    statuses = [
        login(from_address(f"198.51.100.{number}"), email, "wrong").status_code
        for number, email in enumerate(spellings)
    ]

    assert statuses == [400, 400, 429]


@pytest.mark.django_db(transaction=True)
def test_of_many_logins_at_once_no_more_than_the_limit_are_tried(settings):
    set_rates(settings, login="4/min")
    together = threading.Barrier(10)

    def try_one(number: int) -> int:
        together.wait(10)
        try:
            return login(APIClient(), "nobody@example.org", "wrong").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(try_one, range(10)))

    tried, refused = statuses.count(400), statuses.count(429)
    # Of two limits, by address and by account, one may count what the other refuses.
    assert 1 <= tried <= 4
    assert tried + refused == 10


def test_signing_out_signs_every_client_out(user, visitor):
    key = login(visitor, user.email).json()["key"]

    response = with_token(key).post("/api/v1/auth/logout/")

    assert (response.status_code, response.content) == (204, b"")
    assert with_token(key).get("/api/v1/auth/users/me/").status_code == 401
    assert login(visitor, user.email).json()["key"] != key


def test_a_token_can_be_deleted(user, visitor):
    key = login(visitor, user.email).json()["key"]

    assert with_token(key).delete("/api/v1/auth/token/").status_code == 204
    assert not Token.objects.filter(user=user).exists()


@pytest.mark.parametrize("authorization", [None, "Token " + "0" * 40, "Token", "Token a b", "Token é"])
def test_without_a_valid_token_there_is_a_401_with_the_known_challenge(authorization):
    client = APIClient(headers={"Authorization": authorization} if authorization else {})

    response = client.get("/api/v1/organisations/")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Cookie realm="api"'
    assert list(response.json()) == ["detail"]


def test_the_token_of_a_disabled_account_is_refused(user):
    key = Token.objects.create(user=user).key
    user.is_active = False
    user.save()

    assert with_token(key).get("/api/v1/auth/users/me/").status_code == 401


def test_an_account_is_locked_after_repeated_failures_whatever_the_letter_case(three_attempts, user, visitor):
    for spelling in ("ada@example.org", "ADA@example.org", "Ada@Example.org"):
        login(visitor, spelling, "wrong")

    response = login(visitor, "aDa@example.org")

    assert (response.status_code, response.json()) == (400, REFUSED)


def test_a_lockout_concerns_one_account_only(three_attempts, user, visitor):
    for _ in range(three_attempts):
        login(visitor, user.email, "wrong")

    assert login(visitor, make_user().email).status_code == 200


def test_fewer_failures_than_the_limit_lock_nobody_out(three_attempts, user, visitor):
    for _ in range(three_attempts - 1):
        login(visitor, user.email, "wrong")

    assert login(visitor, user.email).status_code == 200


def test_the_lockout_can_be_switched_off(settings, three_attempts, user, visitor):
    settings.AXES_ENABLED = False
    for _ in range(three_attempts):
        login(visitor, user.email, "wrong")

    assert login(visitor, user.email).status_code == 200


def test_the_admin_takes_part_in_the_lockout(three_attempts, visitor):
    staff = make_user(email="root@example.org", is_staff=True, is_superuser=True)
    browser = Client()
    for spelling in ("root@example.org", "ROOT@example.org", "Root@example.org"):
        browser.post(ADMIN_LOGIN, {"username": spelling, "password": "wrong"})

    locked = browser.post(ADMIN_LOGIN, {"username": staff.email, "password": PASSWORD})

    assert locked.status_code == 429
    assert login(visitor, staff.email).json() == REFUSED


def test_failures_of_the_api_lock_the_admin_too(three_attempts, visitor):
    staff = make_user(is_staff=True, is_superuser=True)
    for _ in range(three_attempts):
        login(visitor, staff.email, "wrong")

    response = Client().post(ADMIN_LOGIN, {"username": staff.email, "password": PASSWORD})

    assert response.status_code == 429


def test_the_admin_lets_staff_in_by_e_mail_in_any_letter_case():
    make_user(email="root@example.org", is_staff=True, is_superuser=True)

    response = Client().post(ADMIN_LOGIN, {"username": "Root@Example.org", "password": PASSWORD})

    assert response.status_code == 302


@pytest.fixture
def hashes_computed(monkeypatch) -> list[str]:
    """The salt of each password hash, as it is computed."""
    computed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        computed.append(salt)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return computed


@pytest.mark.parametrize(
    "kind", ["known", "unknown", "inactive", "locked", "locked and unknown", "no password"]
)
def test_one_password_hash_is_computed_whoever_is_tried(kind, settings, visitor, hashes_computed):
    settings.AXES_FAILURE_LIMIT = 1 if kind.startswith("locked") else 10
    email = "ada@example.org"
    if kind in {"known", "inactive", "locked"}:
        make_user(email=email, is_active=kind != "inactive")
    if kind == "no password":
        make_user(email=email, password=None)
    if kind.startswith("locked"):
        login(visitor, email, "wrong")
    hashes_computed.clear()

    response = login(visitor, email, PASSWORD if kind == "locked" else "wrong")

    assert (response.status_code, response.json()) == (400, REFUSED)
    assert len(hashes_computed) == 1


def test_unknown_accounts_are_locked_like_others(three_attempts, visitor):
    for _ in range(three_attempts):
        login(visitor, "nobody@example.org", "wrong")

    make_user(email="nobody@example.org")

    assert login(visitor, "nobody@example.org").json() == REFUSED


def test_the_locked_admin_says_when_to_come_back(three_attempts, user):
    browser = Client()
    for _ in range(three_attempts):
        locked = browser.post(ADMIN_LOGIN, {"username": user.email, "password": "wrong"})

    assert locked.status_code == 429
    assert int(locked["Retry-After"]) == 15 * 60


def test_counting_by_address_too_locks_one_address_only(settings, three_attempts, user, visitor):
    settings.AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
    for _ in range(three_attempts):
        login(visitor, user.email, "wrong")

    assert login(visitor, user.email).json() == REFUSED
    assert login(from_address("198.51.100.7"), user.email).status_code == 200


def test_a_forged_address_does_not_get_round_a_lockout_by_address(settings, three_attempts, user):
    settings.AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
    for number in range(three_attempts):
        login(from_address(f"203.0.113.{number}, 198.51.100.7"), user.email, "wrong")

    response = login(from_address("203.0.113.9, 198.51.100.7"), user.email)

    assert response.json() == REFUSED
