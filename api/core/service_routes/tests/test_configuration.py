"""The effective settings, for whoever has the service key."""

import pytest
from django.test import Client

CONFIG = "/config"
KEY = "a key for the service routes"
SECRET = "sEcReT-canary"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation(settings):
    settings.AUTH_KEY = KEY
    settings.ENV = "local"


def get(path: str = CONFIG, **headers: str):
    return Client(headers=headers).get(path)


def with_key(path: str = CONFIG):
    return get(path, **{"X-AUTH-API-KEY": KEY})


@pytest.mark.parametrize("path", [CONFIG, f"{CONFIG}/"])
def test_the_key_opens_it(path, settings):
    settings.FEATURE_VALUE_LIMIT = 12_345

    response = with_key(path)

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json()["FEATURE_VALUE_LIMIT"] == 12_345
    assert response.json()["ENV"] == "local"


@pytest.mark.parametrize("given", ["", "wrong", KEY[:-1], f"{KEY}x", KEY.upper(), "é"])
def test_a_wrong_key_does_not(given):
    response = get(**{"X-AUTH-API-KEY": given})

    assert response.status_code == 401
    assert response.json() == {"msg": "Unauthorized", "reason": "Wrong key."}


def test_no_key_does_not():
    response = get()

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'X-AUTH-API-KEY realm="services"'
    assert set(response.json()) == {"msg", "reason"}


def test_another_header_can_bring_it(settings):
    settings.AUTH_HEADER = "X-Operator-Key"

    assert get(**{"X-Operator-Key": KEY}).status_code == 200
    assert with_key().status_code == 401


@pytest.mark.parametrize(
    "variable", [("AUTH_KEY", ""), ("ENV", "prod"), ("ENV", "production"), ("ENV", "staging")]
)
@pytest.mark.parametrize("given", [None, "", KEY])
def test_without_a_key_to_ask_for_and_outside_of_development_it_does_not_exist(variable, given, settings):
    setattr(settings, *variable)

    response = get(**({} if given is None else {"X-AUTH-API-KEY": given}))

    assert response.status_code == 404


def test_the_key_opens_nothing_else():
    assert with_key("/api/v1/organisations/").status_code == 401
    assert with_key("/api/v1/auth/users/me/").status_code == 401


def test_nobody_else_gets_in(superuser_client):
    assert superuser_client.get(CONFIG).status_code == 401


def test_no_secret_is_shown(settings):
    settings.SECRET_KEY = f"{SECRET}-1"
    settings.AUTH_KEY = f"{SECRET}-2"
    settings.ADMIN_INITIAL_PASSWORD = f"{SECRET}-3"
    settings.EMAIL_HOST_PASSWORD = f"{SECRET}-4"
    settings.SENTRY_SDK_DSN = f"https://{SECRET}@errors.example.org/1"
    settings.APPLICATION_INSIGHTS_CONNECTION_STRING = f"InstrumentationKey={SECRET}"
    settings.CACHE_URLS = [f"redis://:{SECRET}@cache.example.org:6379/0", f"redis://kim:{SECRET}@cache"]
    settings.NESTED = {"a": [{"password": SECRET, "Location": f"https://kim:{SECRET}@host/path"}]}

    response = get(**{"X-AUTH-API-KEY": f"{SECRET}-2"})

    assert response.status_code == 200
    assert SECRET not in response.content.decode()
    assert "cache.example.org:6379" in response.content.decode()


def test_the_password_of_the_database_is_not_shown(settings):
    password = settings.DATABASES["default"].get("PASSWORD")

    shown = with_key().json()["DATABASES"]["default"]

    assert shown["NAME"] == settings.DATABASES["default"]["NAME"]
    assert shown["PASSWORD"] == "********************" or not password


def test_it_does_not_stand_before_the_overrides_of_the_dashboard():
    assert with_key("/config/project-overrides")["Content-Type"].startswith("application/javascript")
