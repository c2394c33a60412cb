"""The superuser that the environment names, by one request."""

import pytest
from django.test import Client

from users.models import User
from users.tests.factories import PASSWORD, make_user

INIT = "/api/v1/users/init/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def named(settings):
    settings.ADMIN_EMAIL = "Ada@example.org"
    settings.ADMIN_USERNAME = "ada"
    settings.ADMIN_INITIAL_PASSWORD = PASSWORD


def test_the_superuser_that_the_variables_name_is_created(named, client):
    response = client.get(INIT)

    user = User.objects.get()
    assert (response.status_code, response.json()) == (201, {"adminUserCreated": True})
    assert (user.email, user.username) == ("ada@example.org", "ada")
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)
    credentials = {"email": "ada@example.org", "password": PASSWORD}
    assert client.post("/api/v1/auth/login/", credentials).status_code == 200


def test_without_a_password_in_the_environment_there_is_a_link_and_no_known_password(client):
    response = client.get(INIT)

    user = User.objects.get()
    assert response.status_code == 201
    assert "/password-reset/confirm/" in response.json()["passwordResetUrl"]
    assert (user.email, user.username) == ("admin@example.com", None)
    assert not user.has_usable_password()


def test_it_works_once(named, client):
    client.get(INIT)

    response = client.get(INIT)

    assert response.status_code == 400
    assert response.json() == {
        "adminUserCreated": False,
        "message": "This installation has users already.",
    }
    assert User.objects.count() == 1


def test_any_user_comes_before(named, client):
    make_user()

    assert client.get(INIT).status_code == 400


@pytest.mark.parametrize("is_fresh", [True, False])
def test_it_can_be_switched_off(is_fresh, named, settings, client):
    settings.ALLOW_ADMIN_INITIATION_VIA_URL = False
    if not is_fresh:
        make_user()

    assert client.get(INIT).status_code == 404
    assert User.objects.filter(is_superuser=True).count() == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ADMIN_INITIAL_PASSWORD", "password"), ("ADMIN_EMAIL", "root")],
)
def test_a_weak_password_or_no_address_is_refused(variable, value, named, settings, client):
    setattr(settings, variable, value)

    response = client.get(INIT)

    assert response.status_code == 400
    assert response.json()["adminUserCreated"] is False
    assert not User.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_refused(method):
    assert getattr(Client(), method)(INIT).status_code == 405
