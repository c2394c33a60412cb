"""Changing one's e-mail address, and noting one's first steps."""

import threading
from datetime import datetime

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from mails.tests.smtp import html_of, text_of
from users.models import User
from users.tests.factories import PASSWORD, make_user

ME = "/api/v1/auth/users/me/"
ONBOARDING = "/api/v1/auth/users/me/onboarding/"
SET_EMAIL = "/api/v1/auth/users/set_email/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(db) -> User:
    return make_user(email="ada@example.org", first_name="Ada")


@pytest.fixture
def client(user) -> APIClient:
    """A client that is signed in by a token, so that each request reads the user anew."""
    return APIClient(headers={"Authorization": f"Token {Token.objects.create(user=user).key}"})


def test_the_old_address_is_told_of_the_new_one(mailbox, user, client, settings):
    settings.FLAGSMITH_DOMAIN = "flags.example.org"

    response = client.post(SET_EMAIL, {"current_password": PASSWORD, "new_email": "Augusta@Example.org"})

    sent = mailbox.only()
    user.refresh_from_db()
    assert (response.status_code, response.content, user.email) == (204, b"", "augusta@example.org")
    assert (sent["To"], sent["Subject"]) == (
        "ada@example.org",
        "Your Burgee account has another e-mail address",
    )
    for body in (text_of(sent), html_of(sent)):
        assert "Hello Ada" in body
        assert "http://flags.example.org" in body
        assert "augusta" not in body


def test_the_same_address_again_is_no_news(mailbox, client):
    response = client.post(SET_EMAIL, {"current_password": PASSWORD, "new_email": "Ada@example.org"})

    assert response.status_code == 204
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("current_password", "wrong"),
        ("current_password", None),
        ("new_email", "no address"),
        ("new_email", "KIM@example.org"),
        ("new_email", "nul\0@example.org"),
        ("new_email", ["a@example.org"]),
    ],
)
def test_what_is_wrong_is_said_by_field(field, value, user, client):
    make_user(email="kim@example.org")

    response = client.post(
        SET_EMAIL, {"current_password": PASSWORD, "new_email": "new@example.org", field: value}
    )

    user.refresh_from_db()
    assert (response.status_code, list(response.json())) == (400, [field])
    assert user.email == "ada@example.org"


def test_first_steps_are_kept_and_what_is_not_sent_stays(client):
    tasks = {"tasks": [{"name": "create_project", "completed_at": "2026-01-05T09:00:00Z"}]}
    tools = {"tools": {"integrations": ["github"]}}

    responses = [client.patch(ONBOARDING, part) for part in (tasks, tools)]

    assert [(each.status_code, each.content) for each in responses] == [(204, b"")] * 2
    assert client.get(ME).json()["onboarding"] == {
        **tasks,
        "tools": {"completed": True, "integrations": ["github"]},
    }


def test_a_step_is_done_now_unless_it_says_when(client):
    client.patch(ONBOARDING, {"tasks": [{"name": "invite"}], "hosting_preferences": ["self_hosted"]})

    onboarding = client.get(ME).json()["onboarding"]
    assert datetime.fromisoformat(onboarding["tasks"][0]["completed_at"]).tzinfo is not None
    assert onboarding["hosting_preferences"] == ["self_hosted"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"other": 1},
        {"tasks": None},
        {"tasks": {}},
        {"tasks": [{}]},
        {"tasks": [{"name": "x" * 256}]},
        {"tasks": [{"name": "a", "completed_at": "soon"}]},
        {"tasks": [{"name": "a"}] * 101},
        {"tools": {}},
        {"tools": {"integrations": ["a"] * 101}},
        {"hosting_preferences": "self_hosted"},
        {"hosting_preferences": ["nul\0"]},
    ],
)
def test_malformed_first_steps_are_refused(body, client):
    assert client.patch(ONBOARDING, body).status_code == 400
    assert client.get(ME).json()["onboarding"] is None


@pytest.mark.django_db(transaction=True)
def test_steps_noted_at_once_are_all_kept(user, client_of):
    parts = [{"tasks": [{"name": "a"}]}, {"tools": {"integrations": []}}, {"hosting_preferences": ["b"]}]
    together = threading.Barrier(len(parts))

    def note(part: dict) -> None:
        together.wait(5)
        client_of(user).patch(ONBOARDING, part)
        connection.close()

    threads = [threading.Thread(target=note, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    user.refresh_from_db()
    assert user.onboarding_data.keys() == {"tasks", "tools", "hosting_preferences"}


def test_how_somebody_signs_in_is_known_by_the_provider_they_have():
    assert [
        make_user().auth_type,
        make_user(github_user_id="1").auth_type,
        make_user(github_user_id="2", google_user_id="2").auth_type,
    ] == ["EMAIL", "GITHUB", "GOOGLE"]
