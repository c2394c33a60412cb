"""Fixtures for every app's tests."""

from collections.abc import Iterator

import pytest
from django.test import Client
from rest_framework.test import APIClient

from app.tests import canaries
from app.tests.recording import (  # noqa: F401  # pytest calls them
    pytest_addoption,
    pytest_runtest_call,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)
from core.tests.emptying import empty_after_commits
from environments.models import Environment
from features.models import Feature
from mails.tests.smtp import Mailbox, mail_server
from organisations.models import MemberRole, Organisation
from projects.models import Project
from users.models import User
from users.tests.factories import PASSWORD, make_user

empty_after_commits()


def member_of(organisation: Organisation, role: MemberRole) -> User:
    user = make_user()
    organisation.memberships.create(user=user, role=role)
    return user


@pytest.fixture
def organisation(db) -> Organisation:
    return Organisation.objects.create(name="Acme")


@pytest.fixture
def project(organisation) -> Project:
    return Project.objects.create(organisation=organisation, name="Web shop")


@pytest.fixture
def environment(project) -> Environment:
    return Environment.objects.create(project=project, name="Production")


@pytest.fixture
def feature(project, environment) -> Feature:
    return Feature.objects.create(project=project, name="new_checkout", initial_value="blue")


@pytest.fixture
def admin(organisation) -> User:
    """An administrator of `organisation`."""
    return member_of(organisation, MemberRole.ADMIN)


@pytest.fixture
def member(organisation) -> User:
    """A member of `organisation` who is no administrator."""
    return member_of(organisation, MemberRole.USER)


@pytest.fixture
def stranger(db) -> User:
    """An administrator of another organisation."""
    return member_of(Organisation.objects.create(name="Other"), MemberRole.ADMIN)


@pytest.fixture
def client_of():
    """Return a client that is signed in as the given user: `client_of(admin).get(...)`."""

    def signed_in(user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    return signed_in


@pytest.fixture
def admin_client(admin, client_of) -> APIClient:
    return client_of(admin)


@pytest.fixture
def superuser_client(db) -> Client:
    """A browser that is signed in to /admin/ as a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", PASSWORD))
    return client


@pytest.fixture
def sdk_client(environment) -> APIClient:
    """A client that sends the environment's client-side key."""
    return APIClient(headers={"X-Environment-Key": environment.api_key})


@pytest.fixture
def server_sdk_client(environment) -> APIClient:
    """A client that sends a server-side key."""
    key = environment.server_side_keys.create(name="server")
    return APIClient(headers={"X-Environment-Key": key.key})


@pytest.fixture
def mailbox(transactional_db, settings) -> Iterator[Mailbox]:
    """What a real mail server is sent: `mailbox.only()`, `mailbox.to("ada@example.org")`.

    They are sent by jobs, which run when somebody looks.
    """
    with mail_server() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mailbox.port, False
        yield mailbox


def pytest_configure(config) -> None:
    config.pluginmanager.register(canaries.Plugin())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that copy the database server.

    A copy isn't ready while a transaction on the server has more than 64 savepoints, and the walks through
    all routes make one for each request.
    """
    items.sort(key=lambda item: "test_replicas.py" not in item.nodeid)


def pytest_terminal_summary(terminalreporter) -> None:
    """Say how much the walk of rights has asked, whichever workers it was divided between."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("xfailed")
    combinations = [
        number for report in reports for name, number in report.user_properties if name == "combinations"
    ]
    if combinations:
        terminalreporter.write_line(f"{sum(combinations)} combinations of route, caller and object.")
