"""Who may make an account, and who may sign in with a password."""

import pytest
from rest_framework.test import APIClient

from accounts.checks import check_gates_exist
from users.models import User
from users.tests.factories import PASSWORD, make_user

USERS = "/api/v1/auth/users/"
LOGIN = "/api/v1/auth/login/"

pytestmark = pytest.mark.django_db


def register(**fields):
    body = {"email": "ada@example.org", "password": PASSWORD, "first_name": "Ada", "last_name": "Byron"}
    return APIClient().post(USERS, {**body, **fields})


def test_signing_up_can_be_switched_off(settings):
    settings.PREVENT_SIGNUP = True

    response = register()

    assert (response.status_code, response.json()) == (403, {"detail": "Signing up is disabled."})
    assert not User.objects.exists()


def test_what_registering_asks_can_be_configured(settings):
    settings.USER_CREATE_PERMISSIONS = ["rest_framework.permissions.IsAdminUser"]

    assert register().status_code == 403


def test_a_name_from_settings_for_flagsmith_means_the_same(settings):
    settings.USER_CREATE_PERMISSIONS = ["custom_auth.permissions.IsSignupAllowed"]

    assert register().status_code == 201


def test_where_accounts_are_for_the_invited_nobody_else_learns_who_has_one(settings):
    settings.ALLOW_REGISTRATION_WITHOUT_INVITE = False
    make_user(email="ada@example.org")

    responses = [register(), register(email="new@example.org", sign_up_type="NO_INVITE")]

    assert [(each.status_code, each.json()) for each in responses] == [
        (403, {"detail": "Signing up needs an invitation."})
    ] * 2


@pytest.mark.parametrize(
    "fields",
    [
        {"sign_up_type": "INVITE_EMAIL"},
        {"sign_up_type": "INVITE_LINK"},
        {"sign_up_type": "INVITE_LINK", "invite_hash": None},
        {"sign_up_type": "INVITE_LINK", "invite_hash": "nothing-has-this-hash"},
    ],
)
def test_an_invitation_has_to_exist(fields, settings):
    settings.ALLOW_REGISTRATION_WITHOUT_INVITE = False

    assert register(**fields).status_code == 403


def test_signing_in_with_a_password_can_be_switched_off(settings):
    settings.PREVENT_EMAIL_PASSWORD = True
    user = make_user()

    response = APIClient().post(LOGIN, {"email": user.email, "password": PASSWORD})

    assert response.status_code == 403
    assert response.json() == {"detail": "Signing in with a password is disabled."}


def test_what_signing_in_asks_can_be_configured(settings):
    settings.USER_LOGIN_PERMISSIONS = ["rest_framework.permissions.IsAdminUser"]
    user = make_user()

    response = APIClient().post(LOGIN, {"email": user.email, "password": PASSWORD})

    assert response.status_code == 403


def test_who_is_invited_by_mail_may_sign_up_with_that_address_in_any_letter_case(settings, organisation):
    settings.ALLOW_REGISTRATION_WITHOUT_INVITE = False
    organisation.invites.create(email="ada@example.org")

    responses = [
        register(email="kim@example.org", sign_up_type="INVITE_EMAIL"),
        register(email="Ada@Example.org"),
        register(email="Ada@Example.org", sign_up_type="INVITE_EMAIL"),
    ]

    assert [each.status_code for each in responses] == [403, 403, 201]


def test_who_has_an_invitation_link_may_sign_up(settings, organisation):
    settings.ALLOW_REGISTRATION_WITHOUT_INVITE = False
    link = organisation.invite_links.create()

    response = register(sign_up_type="INVITE_LINK", invite_hash=link.hash)

    assert response.status_code == 201
    assert not User.objects.get().organisations.exists()


@pytest.mark.parametrize("path", ["nowhere.at.All", "Nothing", "accounts.gates.NoSuchClass"])
def test_a_class_that_doesnt_exist_is_found_before_anybody_registers(path, settings):
    assert check_gates_exist() == []
    settings.USER_CREATE_PERMISSIONS = settings.USER_LOGIN_PERMISSIONS = [path]

    assert [each.id for each in check_gates_exist()] == ["accounts.E001"] * 2
