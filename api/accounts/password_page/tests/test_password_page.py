"""Choosing a password by a link."""

import re

import pytest
from django.test import Client

from accounts.initialisation.links import password_link
from users.models import User
from users.signed_tokens import signed_token
from users.tests.factories import PASSWORD, make_user

NEW = "another long password"

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(email="ada@example.org")


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def page_for(user: User) -> str:
    """Return the page's path, which the link leads to."""
    return "/password-reset/" + password_link(user).partition("/password-reset/confirm/")[2]


def choose(browser: Client, page: str, first: str = NEW, second: str = NEW):
    shown = browser.get(page, follow=True)
    hidden = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown.content.decode())
    assert hidden, shown.content
    return browser.post(
        shown.redirect_chain[-1][0],
        {"csrfmiddlewaretoken": hidden[1], "new_password1": first, "new_password2": second},
    )


def test_the_page_is_a_form_that_needs_nothing_from_elsewhere(browser, user):
    response = browser.get(page_for(user), follow=True)

    page = response.content.decode()
    assert response.status_code == 200
    assert set(re.findall(r'<input[^>]* name="(\w+)"', page)) == {
        "csrfmiddlewaretoken",
        "new_password1",
        "new_password2",
    }
    assert re.findall(r"(?:src|href|action)=|<script|@import|url\(", page) == []


def test_the_link_leads_there(browser, user, settings):
    settings.FLAGSMITH_DOMAIN = "testserver"
    link = password_link(user)

    response = browser.get(link, follow=True)

    assert "For ada@example.org." in response.content.decode()


def test_the_secret_of_the_link_does_not_stay_in_the_address(browser, user):
    page = page_for(user)

    response = browser.get(page, follow=True)

    assert page.rpartition("/")[2] not in response.redirect_chain[-1][0]


@pytest.mark.parametrize("has_password", [True, False])
def test_the_password_that_was_chosen_works(has_password, browser, user):
    if not has_password:
        user.set_unusable_password()
        user.save()

    response = choose(browser, page_for(user))

    user.refresh_from_db()
    assert response.status_code == 200
    assert "The password is set" in response.content.decode()
    assert user.check_password(NEW)


def test_a_link_works_once(browser, user):
    page = page_for(user)
    choose(browser, page)

    again = Client().get(page, follow=True)

    assert "This link has been used" in again.content.decode()
    assert "<form" not in again.content.decode()


def test_a_new_password_ends_every_session(browser, user):
    elsewhere = Client()
    elsewhere.force_login(user)
    token = signed_token(user)
    page = page_for(User.objects.get())

    choose(browser, page)

    assert elsewhere.get("/admin/password_change/").status_code == 302
    assert Client(headers={"Authorization": token}).get("/api/v1/user").status_code == 401


@pytest.mark.parametrize(("first", "second"), [("short", "short"), (NEW, "a different password"), ("", "")])
def test_a_password_that_breaks_the_rules_changes_nothing(first, second, browser, user):
    response = choose(browser, page_for(user), first, second)

    user.refresh_from_db()
    assert response.status_code == 200
    assert 'class="errorlist"' in response.content.decode()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    "path", ["MQ/rubbish", "!!/x", "MQ/set-password", "OTk5OTk5OTk5OTk5OTk5/a-b", "%00/%00"]
)
def test_a_link_that_is_none_changes_nothing(path, browser, user):
    response = browser.get(f"/password-reset/{path}", follow=True)

    assert response.status_code == 200
    assert "This link has been used" in response.content.decode()
