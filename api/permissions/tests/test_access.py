"""Who may do what, level by level."""

import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import NotFound, PermissionDenied

from permissions.access import Grants, grants_of, may, may_for_some_features, require, visible
from permissions.actors import Machine
from permissions.catalogue import ADMIN, MEMBER, Level, permissions_at
from permissions.tests.factories import grant, make_group, make_role, without_triggers

EVERY_KEY = {level: [each.key for each in permissions_at(level)] for level in Level}
FIRST_KEY = {level: EVERY_KEY[level][0] for level in Level}


@pytest.fixture
def targets(organisation, project, environment):
    return {
        Level.ORGANISATION: organisation,
        Level.PROJECT: project,
        Level.ENVIRONMENT: environment,
    }


def machine(key) -> Machine:
    return Machine(key.pk, key.name, key.organisation_id, key.is_admin)


def as_a_user(organisation, member):
    return member, member


def as_one_of_a_group(organisation, member):
    return make_group(organisation, member), member


def as_one_with_a_role(organisation, member):
    return make_role(organisation, member), member


def as_one_of_a_group_with_a_role(organisation, member):
    return make_role(organisation, make_group(organisation, member)), member


def as_a_key_with_a_role(organisation, member):
    key = organisation.master_keys.create(prefix="a", is_admin=False)
    return make_role(organisation, key), machine(key)


WAYS = [
    as_a_user,
    as_one_of_a_group,
    as_one_with_a_role,
    as_one_of_a_group_with_a_role,
    as_a_key_with_a_role,
]


@pytest.mark.parametrize("level", Level)
def test_an_administrator_of_the_organisation_may_do_everything(level, targets, admin):
    assert all(may(admin, key, targets[level]) for key in [*EVERY_KEY[level], ADMIN, MEMBER])


@pytest.mark.parametrize("level", Level)
def test_a_member_is_no_more_than_that_until_something_is_granted(level, targets, member):
    assert may(member, MEMBER, targets[level])
    assert not any(may(member, key, targets[level]) for key in [*EVERY_KEY[level], ADMIN])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("level", Level)
def test_what_is_granted_is_held_and_nothing_else(level, way, targets, organisation, member):
    holder, actor = way(organisation, member)

    grant(holder, targets[level], FIRST_KEY[level])

    assert [key for key in [*EVERY_KEY[level], ADMIN] if may(actor, key, targets[level])] == [
        FIRST_KEY[level]
    ]
    elsewhere = [each for each in Level if each is not level]
    assert not any(may(actor, key, targets[other]) for other in elsewhere for key in EVERY_KEY[other])


@pytest.mark.parametrize("way", WAYS)
def test_a_project_administrator_may_do_everything_in_it(way, targets, organisation, member):
    holder, actor = way(organisation, member)

    grant(holder, targets[Level.PROJECT], admin=True)

    for level in (Level.PROJECT, Level.ENVIRONMENT):
        assert all(may(actor, key, targets[level]) for key in [*EVERY_KEY[level], ADMIN])
    assert not any(may(actor, key, organisation) for key in [*EVERY_KEY[Level.ORGANISATION], ADMIN])


def test_an_environment_administrator_has_nothing_above_it(targets, member):
    grant(member, targets[Level.ENVIRONMENT], admin=True)

    assert all(may(member, key, targets[Level.ENVIRONMENT]) for key in EVERY_KEY[Level.ENVIRONMENT])
    assert not any(may(member, key, targets[Level.PROJECT]) for key in [*EVERY_KEY[Level.PROJECT], ADMIN])


def test_grants_of_all_sources_add_up(environment, organisation, member):
    grant(member, environment, "VIEW_ENVIRONMENT")
    grant(make_group(organisation, member), environment, "VIEW_IDENTITIES")

    assert grants_of(member, environment).permissions == ["VIEW_ENVIRONMENT", "VIEW_IDENTITIES"]


@pytest.mark.parametrize("level", Level)
def test_who_does_not_belong_to_the_organisation_may_do_nothing(level, targets, organisation, stranger):
    """Whatever was left over: grants, a group, a role."""
    admin = None if level is Level.ORGANISATION else True
    with without_triggers():
        for holder in (stranger, make_group(organisation, stranger), make_role(organisation, stranger)):
            grant(holder, targets[level], *EVERY_KEY[level], admin=admin)

    asked = [*EVERY_KEY[level], ADMIN, MEMBER]

    assert not any(may(stranger, key, targets[level]) for key in asked)
    assert not any(may(AnonymousUser(), key, targets[level]) for key in asked)
    rows = type(targets[Level.PROJECT]).objects.all()
    assert not visible(stranger, rows, "VIEW_PROJECT").filter(organisation=organisation).exists()


@pytest.mark.parametrize("level", Level)
def test_an_admin_key_may_do_everything_in_its_organisation_only(level, targets, organisation, stranger):
    own = organisation.master_keys.create(prefix="own")
    other = stranger.memberships.get().organisation.master_keys.create(prefix="other")

    assert all(may(machine(own), key, targets[level]) for key in [*EVERY_KEY[level], ADMIN, MEMBER])
    assert not any(may(machine(other), key, targets[level]) for key in [*EVERY_KEY[level], ADMIN, MEMBER])


def test_an_organisation_may_keep_the_making_of_projects_to_its_administrators(organisation, admin, member):
    grant(member, organisation, "CREATE_PROJECT")
    assert may(member, "CREATE_PROJECT", organisation)

    organisation.restrict_project_create_to_admin = True

    assert may(admin, "CREATE_PROJECT", organisation)
    assert not may(member, "CREATE_PROJECT", organisation)


def test_a_grant_for_tags_is_held_for_features_that_carry_one(environment, project, organisation, member):
    tag, other = (project.tags.create(label=label) for label in ("a", "b"))

    grant(make_role(organisation, member), environment, "UPDATE_FEATURE_STATE", tags=(tag.pk,))

    assert may(member, "UPDATE_FEATURE_STATE", environment, tags=[tag.pk, other.pk])
    assert not may(member, "UPDATE_FEATURE_STATE", environment, tags=[other.pk])
    assert not may(member, "UPDATE_FEATURE_STATE", environment, tags=[])
    assert not may(member, "UPDATE_FEATURE_STATE", environment)
    assert may_for_some_features(member, "UPDATE_FEATURE_STATE", environment)
    assert not may_for_some_features(member, "MANAGE_SEGMENT_OVERRIDES", environment)
    assert grants_of(member, environment) == Grants(
        admin=False,
        permissions=[],
        tag_based_permissions=[{"permissions": ["UPDATE_FEATURE_STATE"], "tags": [tag.pk]}],
    )


def test_a_grant_without_tags_is_wider_than_one_with_tags(environment, project, organisation, member):
    tag = project.tags.create(label="a")
    grant(make_role(organisation, member), environment, "UPDATE_FEATURE_STATE", tags=(tag.pk,))

    grant(member, environment, "UPDATE_FEATURE_STATE")

    assert may(member, "UPDATE_FEATURE_STATE", environment, tags=[])


def test_what_is_required_and_not_held_is_refused_or_hidden(project, stranger, admin):
    require(admin, "VIEW_PROJECT", project)

    with pytest.raises(PermissionDenied):
        require(stranger, "VIEW_PROJECT", project)
    with pytest.raises(NotFound):
        require(stranger, "VIEW_PROJECT", project, otherwise=NotFound)


def test_an_administrators_grants_list_no_keys(organisation, admin, member):
    assert grants_of(admin, organisation) == Grants(admin=True, permissions=[])
    assert grants_of(member, organisation) == Grants(admin=False, permissions=[])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("admin", [False, True])
def test_rows_are_visible_where_the_permission_is_held(
    way, admin, project, environment, organisation, member
):
    holder, actor = way(organisation, member)
    projects, environments = type(project).objects.all(), type(environment).objects.all()
    assert not visible(actor, projects, "VIEW_PROJECT").exists()
    assert not visible(actor, environments, "VIEW_ENVIRONMENT").exists()

    grant(holder, project, *([] if admin else ["VIEW_PROJECT"]), admin=admin)
    assert list(visible(actor, projects, "VIEW_PROJECT")) == [project]
    assert visible(actor, environments, "VIEW_ENVIRONMENT").exists() is admin
    assert visible(actor, environments, "VIEW_PROJECT", "project").exists()

    grant(holder, environment, "VIEW_ENVIRONMENT")
    assert list(visible(actor, environments, "VIEW_ENVIRONMENT")) == [environment]


def test_rows_of_other_organisations_are_not_visible(project, admin, stranger):
    projects = type(project).objects.all()

    assert list(visible(admin, projects, "VIEW_PROJECT")) == [project]
    assert not visible(stranger, projects, "VIEW_PROJECT").exists()
    assert not visible(AnonymousUser(), projects, "VIEW_PROJECT").exists()


def test_membership_in_a_deleted_organisation_gives_nothing(organisation, project, admin):
    """Not even on what came into being while the organisation was deleted."""
    type(organisation).objects.filter(pk=organisation.pk).update(deleted_at=project.created_date)

    assert not may(admin, ADMIN, organisation)
    assert not may(admin, "VIEW_PROJECT", project)
    assert not visible(admin, type(project).objects.all(), "VIEW_PROJECT").exists()


def test_the_catalogue_has_as_many_keys_as_clients_expect():
    assert {level: len(keys) for level, keys in EVERY_KEY.items()} == {
        Level.ORGANISATION: 2,
        Level.PROJECT: 10,
        Level.ENVIRONMENT: 8,  # BREAK_GLASS is ours
    }
