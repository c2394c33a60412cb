"""May this actor do this on that object? The one place that answers.

Every viewset, the admin and whatever else guards something asks here. Today membership of the
organisation gives everything but what is kept for its administrators; the keys are the Flagsmith
permission catalogue's, so that finer grants change only this module.
"""

from typing import Any, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

Actor: TypeAlias = Any  # users.models.User or AnonymousUser: `request.user`


def organisation_id_of(target: Any) -> int:
    """Return the id of the organisation that an organisation, project or environment belongs to."""
    if hasattr(target, "organisation_id"):
        return int(target.organisation_id)
    if hasattr(target, "project"):
        return int(target.project.organisation_id)
    return int(target.pk)


def is_member(actor: Actor, organisation_id: int) -> bool:
    return (
        not isinstance(actor, AnonymousUser)
        and actor.memberships.filter(organisation_id=organisation_id).exists()
    )


def is_organisation_admin(actor: Actor, organisation_id: int) -> bool:
    return (
        not isinstance(actor, AnonymousUser)
        and actor.memberships.filter(organisation_id=organisation_id, role="ADMIN").exists()
    )


def may(actor: Actor, permission: str, target: Any) -> bool:
    """Whether `actor` holds `permission` on an organisation, project or environment.

    Args:
        permission: a key of `permissions.catalogue`, or `ADMIN` for what only administrators of the
            target may do.
    """
    return is_member(actor, organisation_id_of(target))


def visible(actor: Actor, rows: QuerySet, organisation_path: str) -> QuerySet:
    """Narrow `rows` to the organisations that `actor` belongs to.

    Args:
        organisation_path: the look-up from a row to its organisation, e.g. `project__organisation`.
    """
    if isinstance(actor, AnonymousUser):
        return rows.none()
    return rows.filter(**{f"{organisation_path}__memberships__user": actor})
