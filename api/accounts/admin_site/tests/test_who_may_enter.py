"""Who comes into /admin/, and what they find there."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.mfa.tests.factories import App
from accounts.oidc.tests.server import OidcServer
from organisations.models import Organisation
from users.models import User
from users.tests.factories import PASSWORD, make_user

LOGIN = "/admin/login/"
INDEX = "/admin/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return Client()


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def send_password(browser: Client, user: User, password: str = PASSWORD):
    return browser.post(LOGIN, {"username": user.email, "password": password})


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}, {"is_staff": True, "is_superuser": True}])
def test_whoever_has_an_account_may_sign_in(flags, browser):
    response = send_password(browser, make_user(**flags))

    assert (response.status_code, response["Location"]) == (302, INDEX)
    assert browser.get(INDEX).status_code == 200


def test_a_disabled_account_may_not(browser):
    send_password(browser, make_user(is_active=False, is_staff=True, is_superuser=True))

    assert browser.get(INDEX)["Location"].startswith(LOGIN)


def test_a_wrong_password_is_told_without_saying_what_is_wrong(browser):
    responses = [send_password(browser, make_user(), "wrong"), send_password(browser, User(email="no@x.org"))]

    for response in responses:
        assert response.status_code == 200
        assert "Please enter the right e-mail address and password." in response.content.decode()


def test_a_superuser_finds_every_table():
    page = signed_in(make_user(is_staff=True, is_superuser=True)).get(INDEX).content.decode()

    assert reverse("admin:organisations_organisation_changelist") in page


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}])
def test_others_are_told_that_there_is_nothing_for_them(flags):
    user = make_user(**flags)

    response = signed_in(user).get(INDEX)

    page = response.content.decode()
    assert response.status_code == 200
    assert f"You are signed in as {user.email}." in page
    assert "/api/v1/docs/" in page
    assert "changelist" not in page
    assert reverse("admin:organisations_organisation_changelist") not in page


def pages() -> list[str]:
    """Return the addresses of pages that show or search rows."""
    models = sorted(admin.site._registry, key=lambda model: model._meta.label)
    names = [f"{model._meta.app_label}_{model._meta.model_name}" for model in models]
    return [
        *(reverse(f"admin:{name}_changelist") for name in names),
        *(reverse(f"admin:{name}_add") for name in names),
        *(
            reverse(f"admin:{name}_{page}", args=[1])
            for name in names
            for page in ("change", "delete", "history")
        ),
        reverse("admin:autocomplete") + "?app_label=organisations&model_name=project&field_name=organisation",
        reverse("admin:view_on_site", args=[1, 1]),
    ]


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}])
def test_no_page_of_a_table_is_for_others_whatever_they_may_do_by_djangos_table_of_permissions(flags):
    user = make_user(**flags)
    user.user_permissions.set(Permission.objects.all())
    Organisation.objects.create(pk=1, name="Secret")
    browser = signed_in(user)

    answers = {page: browser.get(page) for page in pages()}

    assert {page: each.status_code for page, each in answers.items() if each.status_code != 403} == {}
    assert [page for page, each in answers.items() if "Secret" in each.content.decode()] == []


def test_others_may_change_their_password():
    assert signed_in(make_user()).get("/admin/password_change/").status_code == 200


class TestWhenPasswordsAreSwitchedOff:
    @pytest.fixture(autouse=True)
    def switched_off(self, settings):
        settings.ENABLE_ADMIN_ACCESS_USER_PASS = False

    def test_the_page_has_no_form_and_says_what_to_do(self, browser):
        response = browser.get(LOGIN)

        page = response.content.decode()
        assert response.status_code == 200
        assert "ENABLE_ADMIN_ACCESS_USER_PASS" in page
        assert 'name="password"' not in page
        assert "<form" not in page

    def test_the_page_leads_to_the_providers_that_there_are(self, browser, settings):
        OidcServer().configure(settings)

        page = browser.get(f"{LOGIN}?next=/admin/users/user/").content.decode()

        assert 'value="Log in with Acme"' in page
        assert 'name="next" value="/admin/users/user/"' in page
        assert 'name="password"' not in page

    def test_a_right_password_is_refused(self, browser):
        user = make_user(is_staff=True, is_superuser=True)

        response = send_password(browser, user)

        assert response.status_code == 403
        assert "ENABLE_ADMIN_ACCESS_USER_PASS" in response.content.decode()
        assert browser.get(INDEX).status_code == 302

    def test_a_password_is_not_even_tried(self, browser, settings):
        settings.AXES_FAILURE_LIMIT = 3
        user = make_user(is_staff=True, is_superuser=True)
        for _ in range(4):
            send_password(browser, user, "wrong")

        settings.ENABLE_ADMIN_ACCESS_USER_PASS = True

        assert send_password(browser, user).status_code == 302

    def test_neither_is_a_second_factor(self, browser, settings):
        settings.ENABLE_ADMIN_ACCESS_USER_PASS = True
        user = make_user(is_staff=True, is_superuser=True)
        app = App(user)
        send_password(browser, user)
        settings.ENABLE_ADMIN_ACCESS_USER_PASS = False

        browser.post("/admin/login/code/", {"code": app.code()})

        assert browser.get(INDEX).status_code == 302

    def test_whoever_is_signed_in_stays_so(self):
        assert signed_in(make_user(is_superuser=True)).get(INDEX).status_code == 200

    def test_the_api_still_takes_passwords(self, browser):
        user = make_user()

        response = browser.post("/api/v1/auth/login/", {"email": user.email, "password": PASSWORD})

        assert response.status_code == 200
