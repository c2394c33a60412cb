"""Who answers for a feature: users, and groups of users."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from audit.services import Author
from core.errors import InvalidInput
from core.locks import take
from features.exceptions import OwnerRequiredError
from features.models import Feature
from features.services import records
from organisations.models import Group
from permissions.access import users_who_may
from projects.models import Project
from users.models import User


def first_owners(author: Author, project: Project, ids: Sequence[int] | None) -> list[User]:
    """Return the owners that a new feature begins with.

    Args:
        ids: whom its author named; None: the author, unless that is a machine.

    Raises:
        InvalidInput: one of them may not see the project.
    """
    if ids is None:
        return [author] if isinstance(author, User) else []
    users = list(_possible_owners(project, ids))
    if strangers := _missing(ids, users):
        raise InvalidInput({"owners": [f"Users with ids {strangers} do not have access to this project."]})
    return users


def first_group_owners(project: Project, ids: Sequence[int]) -> list[Group]:
    """Return the groups that a new feature begins with as owners.

    Raises:
        InvalidInput: one of them is of another organisation.
    """
    groups = list(_possible_group_owners(project, ids))
    if strangers := _missing(ids, groups):
        reason = f"Groups with ids {strangers} do not belong to this project's organisation."
        raise InvalidInput({"group_owners": [reason]})
    return groups


@transaction.atomic
def add_owners(feature: Feature, user_ids: Iterable[int], *, author: Author) -> Feature:
    """Make users owners of a feature.

    Raises:
        InvalidInput: one of them is unknown or may not see the project.
    """
    _refuse_unknown_users(user_ids, feature.project)
    take(feature)
    return _set(feature, "owners", _ids(feature, "owners") | set(user_ids), author)


@transaction.atomic
def remove_owners(feature: Feature, user_ids: Iterable[int], *, author: Author) -> Feature:
    """Take users off a feature's owners.

    Raises:
        InvalidInput: one of them is unknown.
        OwnerRequiredError: nobody would be left, and the project wants an owner.
    """
    take(feature)
    owners = _ids(feature, "owners")
    _refuse_unknown_users(set(user_ids) - owners, feature.project)
    return _set(feature, "owners", owners - set(user_ids), author)


@transaction.atomic
def add_group_owners(feature: Feature, group_ids: Iterable[int], *, author: Author) -> Feature:
    """Make groups owners of a feature.

    Raises:
        InvalidInput: one of them is unknown or of another organisation.
    """
    _refuse_unknown_groups(group_ids, feature.project)
    take(feature)
    return _set(feature, "group_owners", _ids(feature, "group_owners") | set(group_ids), author)


@transaction.atomic
def remove_group_owners(feature: Feature, group_ids: Iterable[int], *, author: Author) -> Feature:
    """Take groups off a feature's owners.

    Raises:
        InvalidInput: one of them is unknown.
        OwnerRequiredError: nobody would be left, and the project wants an owner.
    """
    _refuse_unknown_groups(group_ids, feature.project)
    take(feature)
    return _set(feature, "group_owners", _ids(feature, "group_owners") - set(group_ids), author)


def _set(feature: Feature, kind: str, new: set[int], author: Author) -> Feature:
    """Make these the owners of one kind, and record what that changes."""
    old = _ids(feature, kind)
    if new == old:
        return feature
    others = _ids(feature, "group_owners" if kind == "owners" else "owners")
    if feature.project.enforce_feature_owners and not new and not others:
        raise OwnerRequiredError
    # Not all of them at once: others may be coming in at the same time.
    getattr(feature, kind).add(*new - old)
    getattr(feature, kind).remove(*old - new)
    records.feature_updated(feature, author=author, changes=[records.change(kind, sorted(old), sorted(new))])
    return feature


def _ids(feature: Feature, kind: str) -> set[int]:
    return set(getattr(feature, kind).values_list("pk", flat=True))


def _refuse_unknown_users(ids: Iterable[int], project: Project) -> None:
    if _missing(ids, _possible_owners(project, ids)):
        raise InvalidInput({"non_field_errors": ["Some users not found"]})


def _refuse_unknown_groups(ids: Iterable[int], project: Project) -> None:
    if _missing(ids, _possible_group_owners(project, ids)):
        raise InvalidInput(["Some groups not found"])


def _missing(ids: Iterable[int], found: Iterable[User | Group]) -> list[int]:
    return sorted(set(ids) - {each.pk for each in found})


def _possible_owners(project: Project, ids: Iterable[int]) -> QuerySet[User]:
    """Return those of these users who may see the project."""
    users: QuerySet[User] = users_who_may("VIEW_PROJECT", project)
    return users.filter(pk__in=set(ids))


def _possible_group_owners(project: Project, ids: Iterable[int]) -> QuerySet[Group]:
    return Group.objects.filter(organisation=project.organisation_id, pk__in=set(ids))
