"""Who may do what, level by level."""

import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import NotFound, PermissionDenied

from permissions.access import Grants, grants_of, may, require, visible
from permissions.catalogue import ADMIN, MEMBER, Level, permissions_at

EVERY_KEY = {level: [each.key for each in permissions_at(level)] for level in Level}


@pytest.fixture
def targets(organisation, project, environment):
    return {
        Level.ORGANISATION: organisation,
        Level.PROJECT: project,
        Level.ENVIRONMENT: environment,
    }


@pytest.mark.parametrize("level", Level)
def test_an_administrator_of_the_organisation_may_do_everything(level, targets, admin):
    assert all(may(admin, key, targets[level]) for key in [*EVERY_KEY[level], ADMIN, MEMBER])


@pytest.mark.parametrize("level", Level)
def test_a_member_holds_every_key(level, targets, member):
    assert all(may(member, key, targets[level]) for key in [*EVERY_KEY[level], MEMBER])


@pytest.mark.parametrize(
    ("level", "expected"), [(Level.ORGANISATION, False), (Level.PROJECT, True), (Level.ENVIRONMENT, True)]
)
def test_a_member_administers_projects_but_not_the_organisation(level, expected, targets, member):
    assert may(member, ADMIN, targets[level]) is expected


@pytest.mark.parametrize("level", Level)
def test_who_does_not_belong_to_the_organisation_may_do_nothing(level, targets, stranger):
    asked = [*EVERY_KEY[level], ADMIN, MEMBER]

    assert not any(may(stranger, key, targets[level]) for key in asked)
    assert not any(may(AnonymousUser(), key, targets[level]) for key in asked)


def test_an_organisation_may_keep_the_making_of_projects_to_its_administrators(organisation, admin, member):
    organisation.restrict_project_create_to_admin = True

    assert may(admin, "CREATE_PROJECT", organisation)
    assert not may(member, "CREATE_PROJECT", organisation)


def test_what_is_required_and_not_held_is_refused_or_hidden(project, stranger, member):
    require(member, "VIEW_PROJECT", project)

    with pytest.raises(PermissionDenied):
        require(stranger, "VIEW_PROJECT", project)
    with pytest.raises(NotFound):
        require(stranger, "VIEW_PROJECT", project, otherwise=NotFound)


def test_grants_list_keys_only_for_who_is_no_administrator(organisation, admin, member):
    assert grants_of(admin, organisation) == Grants(admin=True, permissions=[])
    assert grants_of(member, organisation) == Grants(admin=False, permissions=EVERY_KEY[Level.ORGANISATION])


def test_rows_of_other_organisations_are_not_visible(project, member, stranger):
    projects = type(project).objects.all()

    assert list(visible(member, projects, "organisation")) == [project]
    assert not visible(stranger, projects, "organisation").exists()
    assert not visible(AnonymousUser(), projects, "organisation").exists()


def test_membership_in_a_deleted_organisation_gives_nothing(organisation, project, admin):
    """Not even on what came into being while the organisation was deleted."""
    type(organisation).objects.filter(pk=organisation.pk).update(deleted_at=project.created_date)

    assert not may(admin, ADMIN, organisation)
    assert not may(admin, "VIEW_PROJECT", project)
    assert not visible(admin, type(project).objects.all(), "organisation").exists()


def test_the_catalogue_has_as_many_keys_as_clients_expect():
    assert {level: len(keys) for level, keys in EVERY_KEY.items()} == {
        Level.ORGANISATION: 2,
        Level.PROJECT: 10,
        Level.ENVIRONMENT: 7,
    }
