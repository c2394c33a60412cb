"""Which ways to sign in the addresses of a domain may use."""

import pytest
from django.core.checks import run_checks
from django.test import Client
from rest_framework.test import APIClient

from users.models import User
from users.tests.factories import PASSWORD, make_user

LOGIN = "/api/v1/auth/login/"
RESTRICTED = ["kim@acme.com", "Kim@ACME.com", " kim@acme.com "]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _acme_signs_in_elsewhere(settings):
    settings.SIGN_IN_METHODS_BY_DOMAIN = {"acme.com": ["oidc:acme", "google"]}


@pytest.mark.parametrize("email", RESTRICTED)
def test_a_password_lets_nobody_in_whose_domain_signs_in_otherwise(email):
    make_user(email="kim@acme.com")

    response = APIClient().post(LOGIN, {"email": email, "password": PASSWORD})

    assert response.status_code == 403
    assert response.json() == {"detail": "Addresses at acme.com sign in with: oidc:acme, google."}


def test_nobody_registers_an_address_there_with_a_password():
    body = {"password": "0123-quagga-JUMPS", "first_name": "Kim", "last_name": "Lee"}

    response = APIClient().post("/api/v1/auth/users/", {**body, "email": "kim@Acme.com"})

    assert response.status_code == 403
    assert not User.objects.exists()


def test_the_admin_takes_no_password_of_them_either():
    make_user(email="kim@acme.com", is_staff=True, is_superuser=True)

    response = Client().post("/admin/login/", {"username": "Kim@acme.com", "password": PASSWORD})

    assert response.status_code == 200
    assert "sessionid" not in response.cookies


@pytest.mark.parametrize(
    "email", ["kim@other.com", "kim@sub.acme.com", "acme.com@other.com", "kim@notacme.com"]
)
def test_other_domains_are_free(email):
    make_user(email=email)

    assert APIClient().post(LOGIN, {"email": email, "password": PASSWORD}).status_code == 200


def test_passwords_may_be_among_the_ways(settings):
    settings.SIGN_IN_METHODS_BY_DOMAIN = {"acme.com": ["password"]}
    make_user(email="kim@acme.com")

    assert APIClient().post(LOGIN, {"email": "kim@acme.com", "password": PASSWORD}).status_code == 200


def test_a_way_that_does_not_exist_and_a_provider_without_an_issuer_are_found(settings):
    settings.SIGN_IN_METHODS_BY_DOMAIN = {"acme.com": ["oidc:amce", "password"]}
    settings.OIDC_PROVIDERS = [{"slug": "acme", "issuer": "", "client_id": "burgee"}]

    found = {
        each.id: each.msg
        for each in run_checks(tags=["security"])
        if (each.id or "").startswith("accounts.W")
    }

    assert "oidc:amce." in found["accounts.W004"]
    assert "'acme'" in found["accounts.W003"]
