"""Granting permissions."""

from typing import Any

from permissions.actors import Actor, Machine, is_nobody
from permissions.catalogue import Level
from permissions.models import EnvironmentGrant, ProjectGrant
from permissions.targets import level_of


def make_administrator(actor: Actor, target: Any) -> None:
    """Make a user an administrator of a project or an environment. A machine has what its key says."""
    if actor is None or isinstance(actor, Machine) or is_nobody(actor):
        return
    if level_of(target) is Level.PROJECT:
        ProjectGrant.objects.update_or_create(user=actor, project=target, defaults={"admin": True})
    else:
        EnvironmentGrant.objects.update_or_create(user=actor, environment=target, defaults={"admin": True})
