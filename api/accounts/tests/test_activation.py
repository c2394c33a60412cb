"""Accounts that wait for the link in a mail."""

import pytest
from rest_framework.test import APIClient

from mails.tests.smtp import html_of, link_in, text_of
from users.models import User
from users.tests.factories import PASSWORD, make_user

LOGIN = "/api/v1/auth/login/"
ME = "/api/v1/auth/users/me/"
USERS = "/api/v1/auth/users/"
ACTIVATION = "/api/v1/auth/users/activation/"
RESEND = "/api/v1/auth/users/resend_activation/"
RESET = "/api/v1/auth/users/reset_password/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_activation(settings):
    settings.ENABLE_EMAIL_ACTIVATION = True
    settings.FLAGSMITH_DOMAIN = "flags.example.org"


@pytest.fixture
def visitor() -> APIClient:
    return APIClient()


def register(email: str = "ada@example.org", **fields):
    body = {"email": email, "password": PASSWORD, "first_name": "Ada <3", "last_name": "Byron", **fields}
    return APIClient().post(USERS, body)


def parts(link: str) -> dict[str, str]:
    *_, uid, token = link.split("/")
    return {"uid": uid, "token": token}


def test_a_new_account_can_be_used_once_the_link_in_the_mail_was_opened(mailbox, visitor):
    registered = register()
    client = APIClient(headers={"Authorization": f"Token {registered.json()['key']}"})
    before = client.get(ME).status_code

    sent = mailbox.only()
    activated = visitor.post(ACTIVATION, parts(link_in(sent)))

    assert (registered.status_code, registered.json()["is_active"], before) == (201, False, 401)
    assert (sent["To"], sent["Subject"]) == ("ada@example.org", "Activate your Burgee account")
    assert link_in(sent).startswith("http://flags.example.org/activate/")
    assert "Hello Ada <3," in text_of(sent)
    assert "Hello Ada &lt;3," in html_of(sent)
    assert (activated.status_code, activated.content) == (204, b"")
    assert client.get(ME).status_code == 200
    assert visitor.post(LOGIN, {"email": "ada@example.org", "password": PASSWORD}).status_code == 200


def test_an_account_that_waits_can_neither_sign_in_nor_get_a_new_password(mailbox, visitor):
    register()
    mailbox.only()

    login = visitor.post(LOGIN, {"email": "ada@example.org", "password": PASSWORD})
    visitor.post(RESET, {"email": "ada@example.org"})

    assert login.status_code == 400
    assert len(mailbox.mails) == 1


def test_the_link_works_once(mailbox, visitor):
    register()
    link = parts(link_in(mailbox.only()))

    responses = [visitor.post(ACTIVATION, link) for _ in range(2)]

    assert [each.status_code for each in responses] == [204, 403]
    assert responses[1].json() == {"detail": "This account is active already."}


def test_who_was_deactivated_activates_nothing(mailbox, visitor):
    register()
    link = parts(link_in(mailbox.only()))
    visitor.post(ACTIVATION, link)
    User.objects.update(is_active=False)

    by_link = visitor.post(ACTIVATION, link)
    resent = visitor.post(RESEND, {"email": "ada@example.org"})

    assert (by_link.status_code, list(by_link.json())) == (400, ["token"])
    assert resent.status_code == 204
    assert len(mailbox.mails) == 1
    assert not User.objects.get().is_active


@pytest.mark.parametrize(
    ("part", "value"), [("uid", "!!"), ("uid", None), ("token", "a-b"), ("token", ""), ("token", 5)]
)
def test_a_broken_link_is_refused_by_its_part(part, value, mailbox, visitor):
    register()

    response = visitor.post(ACTIVATION, {**parts(link_in(mailbox.only())), part: value})

    assert (response.status_code, list(response.json())) == (400, [part])
    assert not User.objects.get().is_active


def test_the_mail_is_sent_again_in_any_letter_case_to_who_waits_and_nobody_else(mailbox, visitor):
    make_user(email="active@example.org")
    make_user(email="off@example.org", is_active=False)
    register()

    responses = [
        visitor.post(RESEND, {"email": email})
        for email in ("Ada@Example.org", "active@example.org", "off@example.org", "nobody@example.org")
    ]

    assert [(each.status_code, each.content) for each in responses] == [(204, b"")] * 4
    assert [mail["To"] for mail in mailbox.mails] == ["ada@example.org"] * 2
    assert visitor.post(ACTIVATION, parts(link_in(mailbox.mails[-1]))).status_code == 204


def test_so_many_mails_are_sent_and_no_more(mailbox, settings, visitor):
    settings.MAX_PASSWORD_RESET_EMAILS = 2
    register()

    for _ in range(3):
        visitor.post(RESEND, {"email": "ada@example.org"})

    assert len(mailbox.mails) == 2


def test_where_accounts_are_active_at_once_there_is_no_mail_to_send_again(settings, visitor):
    settings.ENABLE_EMAIL_ACTIVATION = False

    response = visitor.post(RESEND, {"email": "ada@example.org"})

    assert (response.status_code, response.content) == (400, b"")


def test_the_first_superuser_doesnt_wait_for_a_mail_that_nothing_can_send_yet():
    response = register(superuser=True)

    assert (response.status_code, response.json()["is_active"]) == (201, True)
