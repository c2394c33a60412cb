"""The second page of signing in to /admin/."""

import pytest
from django.test import Client

from accounts.mfa.tests.factories import App
from users.models import User
from users.tests.factories import PASSWORD, make_user

LOGIN = "/admin/login/"
CODE = "/admin/login/code/"
USERS = "/admin/users/user/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(is_staff=True, is_superuser=True)


@pytest.fixture
def app(user) -> App:
    return App(user)


@pytest.fixture
def browser() -> Client:
    return Client()


def first_page(browser: Client, user: User, password: str = PASSWORD):
    return browser.post(f"{LOGIN}?next={USERS}", {"username": user.email, "password": password})


def test_without_a_second_factor_a_password_is_enough(browser, user):
    assert first_page(browser, user)["Location"] == USERS
    assert browser.get(USERS).status_code == 200


def test_with_one_the_password_leads_to_the_second_page_and_no_further(browser, user, app):
    response = first_page(browser, user)

    assert response["Location"] == "/admin/login/code/?next=%2Fadmin%2Fusers%2Fuser%2F"
    assert browser.get(response["Location"]).status_code == 200
    assert browser.get(USERS).status_code == 302


@pytest.mark.parametrize("kind", ["code of the app", "backup code"])
def test_a_code_opens_the_page_that_was_asked_for(kind, browser, user, app):
    page = first_page(browser, user)["Location"]

    response = browser.post(page, {"code": app.code() if kind == "code of the app" else app.backup_codes[0]})

    assert response["Location"] == USERS
    assert browser.get(USERS).status_code == 200
    assert User.objects.get(pk=user.pk).last_login is not None


def test_a_wrong_code_opens_nothing(browser, user, app):
    first_page(browser, user)

    response = browser.post(CODE, {"code": "000000x"})

    assert "This code isn&#x27;t valid." in response.content.decode()
    assert browser.get(USERS).status_code == 302


def test_nobody_comes_to_the_second_page_first(browser, app):
    assert browser.get(CODE)["Location"] == LOGIN
    assert browser.post(CODE, {"code": app.code()})["Location"] == LOGIN


def test_another_sites_page_is_not_where_one_ends(browser, user, app):
    first_page(browser, user)

    response = browser.post(CODE, {"code": app.code(), "next": "https://evil.example.org/"})

    assert response["Location"] == "/admin/"


def test_wrong_codes_lock_the_account_here_too(settings, browser, user, app):
    settings.AXES_FAILURE_LIMIT = 3
    first_page(browser, user)

    statuses = [browser.post(CODE, {"code": "000000x"}).status_code for _ in range(3)]
    locked = browser.post(CODE, {"code": app.code()})

    assert statuses == [200, 200, 429]
    assert locked.status_code == 429
    assert int(locked["Retry-After"]) > 0
    assert first_page(Client(), user).status_code == 429


def test_whose_account_is_disabled_does_not_come_to_the_second_page(browser):
    user = make_user()
    App(user)
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert first_page(browser, user).status_code == 200


def test_a_superuser_removes_the_factor_of_who_has_lost_it(superuser_client, user, app):
    path = f"/admin/users/user/{user.pk}/change/"
    method = user.mfa_methods.get()
    page = superuser_client.get(path).context
    initial = page["adminform"].form.initial
    fields = {name: value for name, value in initial.items() if value not in (None, False)}
    for inline in page["inline_admin_formsets"]:
        rows = inline.formset.initial_form_count()
        fields |= {f"{inline.formset.prefix}-{form}_FORMS": rows for form in ("TOTAL", "INITIAL")}
    removal = {
        "mfa_methods-0-id": method.pk,
        "mfa_methods-0-user": user.pk,
        "mfa_methods-0-DELETE": "on",
    }

    superuser_client.post(path, {**fields, "groups": [], "user_permissions": [], **removal})

    assert not user.mfa_methods.exists()
