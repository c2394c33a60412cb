"""The ways into an organisation and out of it, and what goes along."""

import pytest
from django.db import IntegrityError

from core.tests.threads import at_once
from organisations.exceptions import AlreadyMemberError, OrganisationGoneError, WithoutAdministratorError
from organisations.models import GroupMembership, MemberRole, Organisation, OrganisationMembership
from organisations.services import change_role, join, leave, remove_members
from permissions.models import EnvironmentGrant, OrganisationGrant, ProjectGrant, RoleAssignment
from permissions.tests.factories import grant, make_group, make_role
from users.models import User
from users.tests.factories import make_user


def groups_of(user: User) -> list[str]:
    return sorted(user.group_memberships.values_list("group__name", flat=True))


def roles_in(organisation: Organisation) -> dict[int, str]:
    return dict(organisation.memberships.values_list("user_id", "role"))


def what_was_granted(user: User) -> list[int]:
    kinds = (OrganisationGrant, ProjectGrant, EnvironmentGrant, RoleAssignment, GroupMembership)
    return [model.objects.filter(user=user).count() for model in kinds]


def grant_everything(user: User, organisation, project, environment) -> None:
    make_group(organisation, user)
    make_role(organisation, user)
    grant(user, organisation, "CREATE_PROJECT")
    grant(user, project, "VIEW_PROJECT")
    grant(user, environment, admin=True)


@pytest.fixture
def elsewhere(member):
    """What `member` is granted in another organisation, as counted by `what_was_granted`."""
    organisation = Organisation.objects.create(name="Elsewhere")
    organisation.memberships.create(user=make_user(), role=MemberRole.ADMIN)
    organisation.memberships.create(user=member)
    project = organisation.projects.create(name="Theirs")
    grant_everything(member, organisation, project, project.environments.create(name="Theirs"))
    return what_was_granted(member)


def test_who_joins_is_in_the_default_groups_and_the_given_ones(organisation, admin):
    user = make_user()
    organisation.groups.create(name="Everybody", is_default=True)
    chosen = organisation.groups.create(name="Chosen")
    organisation.groups.create(name="Other")

    membership = join(organisation, user, MemberRole.USER, [chosen])

    assert membership.role == MemberRole.USER
    assert groups_of(user) == ["Chosen", "Everybody"]


def test_a_default_group_that_is_also_given_is_joined_once(organisation, admin):
    user = make_user()
    group = organisation.groups.create(name="Everybody", is_default=True)

    join(organisation, user, MemberRole.USER, [group])

    assert groups_of(user) == ["Everybody"]


def test_groups_of_another_organisation_are_out_of_reach(organisation, admin, stranger):
    user = make_user()
    theirs = stranger.organisations.get().groups.create(name="Theirs", is_default=True)

    join(organisation, user, MemberRole.USER, [theirs])

    assert groups_of(user) == []


def test_nobody_joins_twice(organisation, admin, member):
    with pytest.raises(AlreadyMemberError):
        join(organisation, member, MemberRole.ADMIN)

    assert roles_in(organisation)[member.pk] == "USER"


def test_nobody_joins_what_was_deleted(organisation, admin):
    same = Organisation.objects.get(pk=organisation.pk)
    organisation.delete()

    with pytest.raises(OrganisationGoneError):
        join(same, make_user(), MemberRole.USER)


def test_what_all_have_left_is_joined_by_an_administrator_only(organisation):
    user = make_user()

    with pytest.raises(WithoutAdministratorError):
        join(organisation, user, MemberRole.USER)
    join(organisation, user, MemberRole.ADMIN)

    assert roles_in(organisation) == {user.pk: "ADMIN"}


@pytest.mark.django_db(transaction=True)
def test_of_two_who_join_the_same_user_at_once_one_is_told(organisation, admin):
    user = make_user()
    organisation.groups.create(name="Everybody", is_default=True)

    outcomes = at_once(*[lambda: join(organisation, user, MemberRole.USER)] * 2)

    kinds = sorted(type(each).__name__ for each in outcomes)
    assert kinds == ["AlreadyMemberError", "OrganisationMembership"]
    assert groups_of(user) == ["Everybody"]


@pytest.mark.parametrize(
    "depart",
    [
        leave,
        lambda organisation, user: remove_members(organisation, [user.pk]),
        lambda organisation, user: organisation.memberships.get(user=user).delete(),
        lambda organisation, user: OrganisationMembership.objects.filter(
            organisation=organisation, user=user
        )._raw_delete("default"),
        lambda organisation, user: organisation.memberships.filter(user=user).update(user=make_user()),
    ],
    ids=["leaving", "being removed", "deleting the row", "deleting in SQL", "giving the place to another"],
)
def test_what_was_granted_goes_with_whoever_leaves(
    depart, organisation, project, environment, admin, member, elsewhere
):
    other = make_user()
    organisation.memberships.create(user=other)
    for user in (member, other):
        grant_everything(user, organisation, project, environment)

    depart(organisation, member)

    assert what_was_granted(member) == elsewhere == [1, 1, 1, 1, 1]
    assert what_was_granted(other) == [1, 1, 1, 1, 1]


def test_who_comes_back_has_nothing_from_before(organisation, project, environment, admin, member):
    grant_everything(member, organisation, project, environment)
    leave(organisation, member)

    join(organisation, member, MemberRole.USER)

    assert what_was_granted(member) == [0, 0, 0, 0, 0]


def test_another_role_takes_nothing_away(organisation, project, environment, admin, member):
    grant_everything(member, organisation, project, environment)

    change_role(organisation.memberships.get(user=member), MemberRole.ADMIN)

    assert what_was_granted(member) == [1, 1, 1, 1, 1]


def test_the_last_administrators_account_stays_while_others_are_there(organisation, admin, member):
    with pytest.raises(IntegrityError, match="An organisation needs an administrator"):
        admin.delete()


DEPARTURES = {
    "leaving": lambda organisation, user: leave(organisation, user),
    "demotion": lambda organisation, user: change_role(
        organisation.memberships.get(user=user), MemberRole.USER
    ),
    "account deletion": lambda organisation, user: user.delete(),
    "the row's deletion": lambda organisation, user: organisation.memberships.get(user=user).delete(),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("first", "second"),
    [(first, second) for first in DEPARTURES for second in DEPARTURES if first <= second],
)
def test_of_two_administrators_who_go_at_once_one_stays(first, second, organisation, admin, member):
    other = make_user()
    organisation.memberships.create(user=other, role=MemberRole.ADMIN)

    outcomes = at_once(
        lambda: DEPARTURES[first](organisation, admin), lambda: DEPARTURES[second](organisation, other)
    )

    assert [isinstance(each, IntegrityError) for each in outcomes].count(True) == 1, outcomes
    assert list(roles_in(organisation).values()).count("ADMIN") == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_joins_an_organisation_whose_last_account_goes_at_that_moment(organisation, admin):
    joining = make_user()

    at_once(lambda: admin.delete(), lambda: join(organisation, joining, MemberRole.USER))

    roles = roles_in(organisation)
    assert not roles or "ADMIN" in roles.values()
