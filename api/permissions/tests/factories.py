"""Grants for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from permissions.catalogue import Level
from permissions.models import EnvironmentGrant, Grant, OrganisationGrant, ProjectGrant, Role
from permissions.targets import level_of

_MODELS: dict[Level, type[Grant]] = {
    Level.ORGANISATION: OrganisationGrant,
    Level.PROJECT: ProjectGrant,
    Level.ENVIRONMENT: EnvironmentGrant,
}
_KINDS = {"user": "user", "group": "group", "role": "role", "masterkey": "master_key"}


def grant(
    holder: Any, target: Any, *keys: str, admin: bool | None = None, tags: tuple[int, ...] = ()
) -> Grant:
    """Grant permissions on an organisation, project or environment to a user, a group or a role."""
    level = level_of(target)
    return _MODELS[level].objects.create(  # type: ignore[attr-defined]
        **{_kind(holder): holder, level.value: target},
        permissions={key: list(tags) for key in keys},
        **({} if admin is None else {"admin": admin}),
    )


def make_group(organisation: Any, *members: Any, name: str = "Developers") -> Any:
    group = organisation.groups.create(name=name)
    for each in members:
        group.memberships.create(user=each)
    return group


def make_role(organisation: Any, *holders: Any, name: str = "Releaser") -> Role:
    role: Role = organisation.roles.create(name=name)
    for each in holders:
        role.assignments.create(**{_kind(each): each})
    return role


def _kind(holder: Any) -> str:
    return _KINDS[holder._meta.model_name]


@contextmanager
def without_triggers() -> Iterator[None]:
    """Let pass what the database would refuse: rows as a restored backup or a fault may have left them."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")
