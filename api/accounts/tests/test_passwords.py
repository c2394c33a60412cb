"""Changing a password, and getting a new one by mail."""

from datetime import timedelta

import pytest
from django.contrib.sites.models import Site
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.links import activation_link, password_reset_link
from accounts.models import SentMail
from core.tests.threads import at_once
from mails.tests.smtp import html_of, link_in, text_of
from tasks.services import run_due
from users.models import User
from users.tests.factories import PASSWORD, make_user

LOGIN = "/api/v1/auth/login/"
ME = "/api/v1/auth/users/me/"
RESET = "/api/v1/auth/users/reset_password/"
CONFIRM = "/api/v1/auth/users/reset_password_confirm/"
SET = "/api/v1/auth/users/set_password/"
NEW = "another-Quagga-42"

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db) -> User:
    return make_user(email="ada@example.org", first_name="Ada")


@pytest.fixture
def visitor() -> APIClient:
    return APIClient()


@pytest.fixture(autouse=True)
def at_flags_example_org(settings):
    settings.FLAGSMITH_DOMAIN = "flags.example.org"


def link_parts(link: str) -> dict[str, str]:
    *_, uid, token = link.split("/")
    return {"uid": uid, "token": token}


def link_for(user: User) -> dict[str, str]:
    return link_parts(password_reset_link(user, site_url="https://flags.example.org"))


def confirm(client: APIClient, link: dict[str, str], password: str = NEW, repeated: str | None = None):
    repeated = password if repeated is None else repeated
    return client.post(CONFIRM, {**link, "new_password": password, "re_new_password": repeated})


def signed_in(user: User, password: str = PASSWORD) -> APIClient:
    key = APIClient().post(LOGIN, {"email": user.email, "password": password}).json()["key"]
    return APIClient(headers={"Authorization": f"Token {key}"})


def test_a_new_password_is_chosen_by_a_link_in_a_mail(mailbox, user, visitor):
    client = signed_in(user)

    asked = visitor.post(RESET, {"email": "ADA@Example.org"})

    sent = mailbox.only()
    link = link_in(sent)
    assert (asked.status_code, asked.content) == (204, b"")
    assert (sent["To"], sent["Subject"]) == ("ada@example.org", "Choose a new password for Burgee")
    assert "Hello Ada" in text_of(sent)
    assert "Hello Ada" in html_of(sent)
    assert link.startswith("http://flags.example.org/password-reset/confirm/")
    assert confirm(visitor, link_parts(link)).status_code == 204
    assert client.get(ME).status_code == 401
    assert signed_in(user, NEW).get(ME).status_code == 200


def test_the_link_leads_to_the_dashboards_page(user):
    response = Client().get("/password-reset/confirm/MQ/abc-123/")

    assert response.status_code == 302
    assert response["Location"] == "http://flags.example.org/password-reset/MQ/abc-123"


def test_a_link_never_leads_to_a_host_that_the_request_merely_names(mailbox, settings, user):
    settings.FLAGSMITH_DOMAIN = ""
    Site.objects.filter(pk=1).delete()

    APIClient(headers={"Host": "evil.example.org"}).post(RESET, {"email": user.email})

    assert "evil" not in text_of(mailbox.only())


def test_who_has_no_account_or_no_password_or_is_inactive_gets_the_same_answer_and_no_mail(mailbox, visitor):
    make_user(email="off@example.org", is_active=False)
    make_user(email="google@example.org", password=None)

    responses = [
        visitor.post(RESET, {"email": f"{name}@example.org"}) for name in ("nobody", "off", "google")
    ]

    assert [(each.status_code, each.content) for each in responses] == [(204, b"")] * 3
    assert mailbox.mails == []


def test_a_known_address_costs_the_request_no_statement_more(
    mailbox, user, visitor, django_assert_num_queries, settings
):
    with django_assert_num_queries(1):
        visitor.post(RESET, {"email": user.email})
    with django_assert_num_queries(1):
        visitor.post(RESET, {"email": "nobody@example.org"})


@pytest.mark.parametrize("email", ["", "no address", None, 5, [], "nul\0@example.org", "a" * 250 + "@b.org"])
def test_a_malformed_address_is_refused(email, visitor):
    response = visitor.post(RESET, {"email": email})

    assert (response.status_code, list(response.json())) == (400, ["email"])


def test_the_mail_server_being_down_changes_nothing_for_the_visitor(mailbox, settings, user, visitor):
    settings.EMAIL_PORT = 1

    response = visitor.post(RESET, {"email": user.email})

    assert response.status_code == 204
    assert mailbox.mails == []


def test_so_many_mails_are_sent_and_no_more(mailbox, settings, user, visitor):
    settings.MAX_PASSWORD_RESET_EMAILS = 2

    responses = [visitor.post(RESET, {"email": user.email}) for _ in range(4)]

    assert [each.status_code for each in responses] == [204] * 4
    assert len(mailbox.mails) == 2


def test_mails_are_counted_exactly_when_many_ask_at_once(mailbox, settings, user):
    settings.MAX_PASSWORD_RESET_EMAILS = 3
    for _ in range(8):
        APIClient().post(RESET, {"email": user.email})

    at_once(*[run_due] * 8)

    assert len(mailbox.mails) == 3
    assert SentMail.objects.count() == 3


def test_after_the_cool_down_mails_are_sent_again(mailbox, settings, user, visitor):
    settings.MAX_PASSWORD_RESET_EMAILS, settings.PASSWORD_RESET_EMAIL_COOLDOWN = 1, 60
    visitor.post(RESET, {"email": user.email})
    assert len(mailbox.mails) == 1
    SentMail.objects.update(sent_at=timezone.now() - timedelta(seconds=61))

    visitor.post(RESET, {"email": user.email})

    assert len(mailbox.mails) == 2


def test_a_new_password_starts_the_count_anew(mailbox, settings, user, visitor):
    settings.MAX_PASSWORD_RESET_EMAILS = 1
    visitor.post(RESET, {"email": user.email})
    confirm(visitor, link_parts(link_in(mailbox.only())))

    visitor.post(RESET, {"email": user.email})

    assert len(mailbox.mails) == 2


def test_a_link_works_once_and_using_it_is_seen_in_last_login(user, visitor):
    link = link_for(user)

    first, second = confirm(visitor, link), confirm(visitor, link, "yet-another-Quagga-42")

    user.refresh_from_db()
    assert (first.status_code, second.status_code, list(second.json())) == (204, 400, ["token"])
    assert user.check_password(NEW)
    assert user.last_login is not None


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("uid", ""),
        ("uid", "é"),
        ("uid", "!!"),
        ("uid", 5),
        ("uid", None),
        ("uid", ["MQ"]),
        ("uid", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"),
        ("uid", "x" * 5000),
        ("token", ""),
        ("token", "abc"),
        ("token", 7),
        ("token", {}),
        ("token", "0-0"),
        ("token", "nul\0"),
    ],
)
def test_a_broken_link_is_refused_by_its_part(part, value, user, visitor):
    response = confirm(visitor, {**link_for(user), part: value})

    assert (response.status_code, list(response.json())) == (400, [part])


def test_a_link_of_another_kind_of_another_user_or_of_a_deactivated_one_is_refused(user, visitor):
    other = link_for(make_user())
    for_activation = link_parts(activation_link(user, site_url=""))
    own = link_for(user)
    User.objects.filter(pk=user.pk).update(is_active=False)

    responses = [
        confirm(visitor, {**own, "token": other["token"]}),
        confirm(visitor, for_activation),
        confirm(visitor, own),
    ]

    assert [(each.status_code, list(each.json())) for each in responses] == [(400, ["token"])] * 3


@pytest.mark.parametrize(
    ("password", "repeated", "field"),
    [
        ("short", "short", "new_password"),
        ("12345678901", "12345678901", "new_password"),
        ("ada@example.org", "ada@example.org", "new_password"),
        (NEW, "different", "non_field_errors"),
        ("", "", "new_password"),
    ],
)
def test_a_new_password_has_to_be_good_and_typed_twice(password, repeated, field, user, visitor):
    by_link = confirm(visitor, link_for(user), password, repeated)
    changed = signed_in(user).post(
        SET, {"current_password": PASSWORD, "new_password": password, "re_new_password": repeated}
    )

    assert (by_link.status_code, field in by_link.json()) == (400, True)
    assert (changed.status_code, field in changed.json()) == (400, True)


def test_ones_password_is_changed_with_the_current_one_and_every_session_ends(user):
    client, elsewhere = signed_in(user), signed_in(user)

    response = client.post(
        SET, {"current_password": PASSWORD, "new_password": f" {NEW} ", "re_new_password": f" {NEW} "}
    )

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(ME).status_code == elsewhere.get(ME).status_code == 401
    assert signed_in(user, f" {NEW} ").get(ME).status_code == 200


@pytest.mark.parametrize("current", ["wrong", "", None, 5])
def test_without_the_current_password_there_is_no_new_one(current, user):
    response = signed_in(user).post(
        SET, {"current_password": current, "new_password": NEW, "re_new_password": NEW}
    )

    user.refresh_from_db()
    assert (response.status_code, list(response.json())) == (400, ["current_password"])
    assert user.check_password(PASSWORD)


def test_nobody_has_no_password_to_change(visitor):
    assert visitor.post(SET, {}).status_code == 401
