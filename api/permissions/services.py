"""Granting permissions. Nothing of this is written to the audit log."""

from typing import Any

from permissions.actors import Actor, Machine
from permissions.holdings import role_in
from permissions.models import Grant
from permissions.targets import organisation_id_of


def make_administrator(actor: Actor, target: Any) -> None:
    """Make a user an administrator of a project or an environment.

    A machine has what its key says, and who doesn't belong to the organisation, such as a superuser in the
    admin, gets nothing in it.
    """
    if actor is None or isinstance(actor, Machine) or role_in(actor, organisation_id_of(target)) is None:
        return
    target.grants.update_or_create(user=actor, defaults={"admin": True})


def change_grant(grant: Grant, **changes: Any) -> Grant:
    """Change a grant: only the fields given are written, `permissions` as a whole."""
    for name, value in changes.items():
        setattr(grant, name, value)
    grant.save(update_fields=list(changes))
    return grant
