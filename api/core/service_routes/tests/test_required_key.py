"""An installation that answers nobody without the service key."""

import pytest
from django.core.checks import run_checks
from django.test import Client

KEY = "a key for the service routes"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation(settings):
    settings.AUTH_KEY = KEY
    settings.REQUIRE_AUTH_KEY = True


@pytest.fixture
def stranger() -> Client:
    return Client()


@pytest.fixture
def operator() -> Client:
    return Client(headers={"X-AUTH-API-KEY": KEY})


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/docs/", "/api/v1/organisations/", "/api/v1/user"])
def test_nothing_is_answered_without_it(path, stranger):
    response = stranger.get(path)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'X-AUTH-API-KEY realm="services"'
    assert {"detail", "msg", "reason"} == set(response.json())


def test_a_wrong_one_is_none(stranger):
    assert stranger.get("/api/v1/docs/", headers={"X-AUTH-API-KEY": "wrong"}).status_code == 401


def test_a_form_is_refused_before_it_is_looked_at(stranger):
    assert stranger.post("/api/v1/auth/login/", {"email": "a", "password": "b"}).status_code == 401


def test_with_it_everything_is_as_ever(operator):
    assert operator.get("/admin/login/").status_code == 200
    assert operator.get("/api/v1/docs/").status_code == 200
    assert "Cookie" in operator.get("/api/v1/organisations/")["WWW-Authenticate"]


def test_sdks_need_their_own_key_only(sdk_client):
    assert sdk_client.get("/api/v1/flags/").status_code == 200


def test_browsers_may_ask_what_they_may_send(stranger):
    headers = {"Origin": "https://flags.example.org", "Access-Control-Request-Method": "GET"}

    assert stranger.options("/api/v1/organisations/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/health/liveness/", "/healthcheck"])
def test_health_is_never_refused(path, stranger):
    assert stranger.get(path).status_code != 401


def test_a_server_that_would_refuse_everyone_is_refused(settings):
    settings.AUTH_KEY = ""

    assert "core.E001" in [message.id for message in run_checks(tags=["security"])]
    assert Client(headers={"X-AUTH-API-KEY": ""}).get("/api/v1/docs/").status_code == 401


def test_with_a_key_there_is_nothing_to_refuse():
    assert "core.E001" not in [message.id for message in run_checks(tags=["security"])]
