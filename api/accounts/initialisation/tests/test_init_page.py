"""The page that a new installation begins with."""

import re
from functools import partial

import pytest
from django.contrib.sites.models import Site
from django.test import Client

from core.tests.threads import at_once
from users.models import User
from users.tests.factories import PASSWORD, make_user

PAGE = "/api/v1/users/config/init/"
FORM = {
    "email": "Ada@example.org",
    "username": "ada",
    "password": PASSWORD,
    "site_name": "Flags of Acme",
    "site_domain": "flags.example.org",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def submit(browser: Client, **form: str):
    """Fill in the form as it is shown, and send it."""
    shown = browser.get(PAGE).content.decode()
    hidden = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)
    assert hidden
    return browser.post(PAGE, {"csrfmiddlewaretoken": hidden[1], **form})


def can_sign_in(email: str) -> bool:
    response = Client().post("/api/v1/auth/login/", {"email": email, "password": PASSWORD})
    return response.status_code == 200


def test_the_page_is_a_form_that_needs_nothing_from_elsewhere(browser):
    response = browser.get(PAGE)

    page = response.content.decode()
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert set(re.findall(r'<input[^>]* name="(\w+)"', page)) == {*FORM, "csrfmiddlewaretoken"}
    assert re.findall(r"(?:src|href|action)=|<script|@import|url\(", page) == []


def test_the_page_makes_a_superuser_who_can_sign_in(browser):
    response = submit(browser, **FORM)

    user = User.objects.get()
    assert response.status_code == 200
    assert list(response.json()) == ["message"]
    assert (user.email, user.username) == ("ada@example.org", "ada")
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)
    assert can_sign_in("ada@example.org")


def test_the_page_names_the_site(browser):
    submit(browser, **FORM)

    site = Site.objects.get()
    assert (site.pk, site.name, site.domain) == (1, "Flags of Acme", "flags.example.org")


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("https://flags.example.org/api/", "flags.example.org"),
        ("localhost:8000", "localhost:8000"),
        ("flags.example.org/", "flags.example.org"),
        ("[::1]:8000", "[::1]:8000"),
    ],
)
def test_an_address_from_the_browser_is_understood(typed, domain, browser):
    submit(browser, **{**FORM, "site_domain": typed})

    assert Site.objects.get().domain == domain


@pytest.mark.parametrize("username", [{}, {"username": ""}])
def test_user_name_and_password_may_be_missing(username, browser):
    required = {name: FORM[name] for name in ("email", "site_name", "site_domain")}

    response = submit(browser, **required, **username)

    user = User.objects.get()
    assert user.username is None
    assert not user.has_usable_password()
    assert re.fullmatch(
        r"http://flags\.example\.org/password-reset/confirm/\w+/[\w-]+", response.json()["passwordResetUrl"]
    )


def test_the_page_is_gone_once_there_is_a_user(browser):
    submit(browser, **FORM)

    again = Client()
    responses = [again.get(PAGE), again.post(PAGE, {**FORM, "email": "eve@example.org"})]

    assert [each.status_code for each in responses] == [404, 404]
    assert User.objects.count() == 1


def test_any_user_closes_the_page(browser):
    make_user()

    assert browser.get(PAGE).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "no address"),
        ("email", "x" * 250 + "@example.org"),
        ("username", "x" * 151),
        ("username", "nul \x00"),
        ("password", "short"),
        ("password", "1234567890123"),
        ("password", "ada@example.org"),
        ("site_name", ""),
        ("site_name", "x" * 51),
        ("site_domain", ""),
        ("site_domain", "x" * 101),
        ("site_domain", "two words"),
        ("site_domain", "https://"),
        ("site_domain", "flags.example.org/path"),
        ("site_domain", "user@flags.example.org"),
    ],
)
def test_a_form_that_is_wrong_is_shown_again_and_changes_nothing(field, value, browser):
    before = Site.objects.values().get()

    response = submit(browser, **{**FORM, field: value})

    page = response.content.decode()
    assert response.status_code == 200
    assert 'class="errorlist"' in page
    assert f'aria-describedby="id_{field}_' in page or 'aria-invalid="true"' in page
    assert not User.objects.exists()
    assert Site.objects.values().get() == before


def test_a_password_is_not_shown_again(browser):
    page = submit(browser, **{**FORM, "email": ""}).content.decode()

    assert PASSWORD not in page


def test_the_form_of_another_site_is_refused(browser):
    assert browser.post(PAGE, FORM).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(method, client):
    assert getattr(client, method)(PAGE).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_of_two_who_come_at_once_one_becomes_the_superuser():
    forms = [{**FORM, "email": f"{name}@example.org", "username": name} for name in ("ada", "eve")]

    responses = at_once(*(partial(Client().post, PAGE, form) for form in forms))

    assert sorted(each.status_code for each in responses) == [200, 404]
    assert User.objects.filter(is_superuser=True).count() == User.objects.count() == 1
