"""A new installation without a browser: what start scripts run."""

import re
from io import StringIO

import pytest
from django.contrib.sites.models import Site
from django.core.management import CommandError, call_command

from organisations.models import MemberRole, Organisation, OrganisationMembership
from permissions.access import is_organisation_admin
from projects.models import Project
from users.models import User
from users.tests.factories import PASSWORD, make_user

LINK = r"https?://\S+/password-reset/confirm/\w+/[\w-]+"
STEPS = ["createinitialadminuser", "createinitialorganisation", "createinitialproject"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def allowed(settings):
    settings.ALLOW_ADMIN_INITIATION_VIA_CLI = True


def run(command: str, **options: object) -> str:
    output = StringIO()
    call_command(command, stdout=output, **options)
    return output.getvalue()


def counts() -> tuple[int, int, int]:
    return User.objects.count(), Organisation.objects.count(), Project.objects.count()


def test_bootstrap_makes_a_superuser_an_organisation_and_a_project(allowed):
    output = run("bootstrap", email="Ada@example.org", organisation_name="Acme", project_name="Web shop")

    user, organisation, project = User.objects.get(), Organisation.objects.get(), Project.objects.get()
    assert (user.email, user.is_superuser, user.has_usable_password()) == ("ada@example.org", True, False)
    assert (organisation.name, project.name, project.organisation) == ("Acme", "Web shop", organisation)
    assert OrganisationMembership.objects.get().role == MemberRole.ADMIN
    assert is_organisation_admin(user, organisation.pk)
    assert re.search(LINK, output)


def test_bootstrap_takes_its_names_from_the_variables(allowed, settings):
    settings.ADMIN_EMAIL, settings.ADMIN_USERNAME = "ada@example.org", "ada"

    run("bootstrap")

    user = User.objects.get()
    assert (user.email, user.username) == ("ada@example.org", "ada")
    assert Organisation.objects.get().name == "Default Organisation"
    assert Project.objects.get().name == "Default Project"


def test_bootstrap_sets_the_password_that_the_environment_has_and_prints_none(allowed, settings):
    settings.ADMIN_INITIAL_PASSWORD = PASSWORD

    output = run("bootstrap")

    assert User.objects.get().check_password(PASSWORD)
    assert PASSWORD not in output
    assert not re.search(LINK, output)


def test_bootstrap_changes_nothing_the_second_time(allowed):
    run("bootstrap")

    output = run("bootstrap", email="eve@example.org", organisation_name="Other", project_name="Other")

    assert counts() == (1, 1, 1)
    assert not re.search(LINK, output)


def test_bootstrap_makes_what_is_missing(allowed):
    superuser = User.objects.create_superuser("root@example.org", PASSWORD)
    Organisation.objects.create(name="Acme").memberships.create(user=superuser, role=MemberRole.ADMIN)

    run("bootstrap")

    assert counts() == (1, 1, 1)
    assert Project.objects.get().organisation.name == "Acme"


def test_bootstrap_brings_nothing_back_that_was_deleted(allowed):
    run("bootstrap")
    Organisation.objects.get().delete()

    run("bootstrap")

    assert counts() == (1, 0, 0)


def test_bootstrap_lets_a_server_start_that_has_users_and_no_superuser(allowed):
    make_user()

    output = run("bootstrap")

    assert counts() == (1, 0, 0)
    assert "no superuser" in output


@pytest.mark.parametrize("command", ["bootstrap", *STEPS])
def test_nothing_is_made_unless_it_is_allowed(command):
    output = run(command)

    assert counts() == (0, 0, 0)
    assert "ALLOW_ADMIN_INITIATION_VIA_CLI is off" in output


def test_the_single_steps_add_up_to_bootstrap(allowed):
    for command in STEPS:
        run(command)

    assert counts() == (1, 1, 1)
    assert is_organisation_admin(User.objects.get(), Organisation.objects.get().pk)


def test_the_single_steps_change_nothing_the_second_time(allowed):
    for command in STEPS * 2:
        run(command)

    assert counts() == (1, 1, 1)


def test_a_step_can_name_who_administers(allowed):
    User.objects.create_superuser("root@example.org", PASSWORD)
    ada = make_user(email="ada@example.org")

    run("createinitialorganisation", email="ADA@example.org")

    assert OrganisationMembership.objects.get().user == ada


@pytest.mark.parametrize("command", STEPS[1:])
def test_a_step_that_nobody_can_administer_fails(command, allowed):
    with pytest.raises(CommandError, match="no superuser"):
        run(command)


def test_a_project_needs_an_organisation(allowed):
    User.objects.create_superuser("root@example.org", PASSWORD)

    with pytest.raises(CommandError, match="no organisation"):
        run("createinitialproject")


@pytest.mark.parametrize(("name", "value"), [("ADMIN_INITIAL_PASSWORD", "password"), ("ADMIN_EMAIL", "root")])
def test_a_weak_password_or_no_address_fails_and_makes_nothing(name, value, allowed, settings):
    setattr(settings, name, value)

    with pytest.raises(CommandError):
        run("bootstrap")

    assert counts() == (0, 0, 0)


def test_migrating_a_database_without_users_points_to_the_page():
    Site.objects.update(domain="flags.example.org")

    output = run("migrate")

    assert "https://flags.example.org/api/v1/users/config/init/" in output


@pytest.mark.parametrize(("has_user", "verbosity"), [(True, 1), (False, 0)])
def test_migrating_says_nothing_where_there_is_a_user_or_silence_is_asked_for(has_user, verbosity):
    if has_user:
        make_user()

    assert "config/init" not in run("migrate", verbosity=verbosity)
