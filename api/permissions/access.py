"""May this actor do this on that object? The one place that answers.

Every viewset, the admin and whatever else guards something asks here. Today membership of the
organisation gives everything but what is kept for its administrators; the keys are the Flagsmith
permission catalogue's, so that finer grants change only this module.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from rest_framework.exceptions import APIException, PermissionDenied

from permissions.catalogue import ADMIN, Level, permissions_at

Actor: TypeAlias = Any  # users.models.User or AnonymousUser: `request.user`


@dataclass(frozen=True)
class Grants:
    """What an actor holds on one object. An administrator holds everything, and no key singly."""

    admin: bool
    permissions: list[str]
    tag_based_permissions: list[Any] = field(default_factory=list)


def may(actor: Actor, permission: str, target: Any) -> bool:
    """Whether `actor` holds `permission` on an organisation, project or environment.

    Args:
        permission: a key of `permissions.catalogue`; `ADMIN` for what only administrators of the target
            may do, `MEMBER` for what all members of an organisation may.
        target: a project, or what has one, brings its organisation along without a query.
    """
    if level_of(target) is Level.ORGANISATION and _is_for_administrators(permission, target):
        return is_organisation_admin(actor, organisation_id_of(target))
    return is_member(actor, organisation_id_of(target))


def require(
    actor: Actor, permission: str, target: Any, *, otherwise: type[APIException] = PermissionDenied
) -> None:
    """Refuse whoever doesn't hold `permission` on `target`.

    Args:
        otherwise: `NotFound` where the contract hides what one may not see.

    Raises:
        APIException: the actor doesn't hold it.
    """
    if not may(actor, permission, target):
        raise otherwise


def grants_of(actor: Actor, target: Any) -> Grants:
    """Return what `actor` holds on `target`, as `my-permissions/` shows it."""
    if may(actor, ADMIN, target):
        return Grants(admin=True, permissions=[])
    known = permissions_at(level_of(target))
    return Grants(admin=False, permissions=[each.key for each in known if may(actor, each.key, target)])


def visible(actor: Actor, rows: QuerySet, organisation_path: str) -> QuerySet:
    """Narrow `rows` to the organisations that `actor` belongs to.

    Args:
        organisation_path: the look-up from a row to its organisation, e.g. `project__organisation`.
    """
    if isinstance(actor, AnonymousUser):
        return rows.none()
    return rows.filter(
        **{f"{organisation_path}__memberships__user": actor, f"{organisation_path}__deleted_at__isnull": True}
    )


def _is_for_administrators(permission: str, organisation: Any) -> bool:
    """Whether only administrators hold `permission`, whoever else was granted it."""
    return permission == ADMIN or (
        permission == "CREATE_PROJECT" and organisation.restrict_project_create_to_admin
    )


def is_member(actor: Actor, organisation_id: int) -> bool:
    return _belongs(actor, organisation_id)


def is_organisation_admin(actor: Actor, organisation_id: int) -> bool:
    return _belongs(actor, organisation_id, role="ADMIN")


def _belongs(actor: Actor, organisation_id: int, **condition: Any) -> bool:
    """Whether the actor has a membership that meets `condition`. One in a deleted organisation is none."""
    return (
        not isinstance(actor, AnonymousUser)
        and actor.memberships.filter(
            organisation_id=organisation_id, organisation__deleted_at__isnull=True, **condition
        ).exists()
    )


def level_of(target: Any) -> Level:
    """Return at which level permissions on `target` are held."""
    if hasattr(target, "organisation_id"):
        return Level.PROJECT
    return Level.ENVIRONMENT if hasattr(target, "project") else Level.ORGANISATION


def organisation_id_of(target: Any) -> int:
    """Return the id of the organisation that an organisation, project or environment belongs to."""
    if hasattr(target, "organisation_id"):
        return int(target.organisation_id)
    if hasattr(target, "project"):
        return int(target.project.organisation_id)
    return int(target.pk)
