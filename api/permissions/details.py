"""Where what a user holds comes from: themselves, their groups, their roles."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from permissions.catalogue import ADMIN, Level, permissions_at
from permissions.holdings import held_by, role_in
from permissions.models import Grant, ProjectGrant
from permissions.targets import level_of, organisation_id_of, project_id_of


@dataclass(frozen=True)
class Origin:
    """How a user came to hold something: `derived_from` names the groups and roles that brought it."""

    is_directly_granted: bool
    derived_from: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Details:
    """What a user holds on one object, key by key, and why. `admin_origin` is of being an administrator."""

    admin: bool
    admin_origin: Origin
    origins: dict[str, Origin]


def details_of(user: Any, target: Any) -> Details:
    """Say what `user` holds on an organisation, a project or an environment, and why. Three queries at most.

    An administrator of the organisation is one directly. One of an environment's project is so of the
    environment, from wherever that comes.
    """
    role = role_in(user, organisation_id_of(target))
    grants: list[Any] = [] if role is None else _with_holders(target.grants.filter(held_by(user)))
    administering = [each for each in grants if getattr(each, "admin", False)]
    if role is not None and level_of(target) is Level.ENVIRONMENT:
        above = ProjectGrant.objects.filter(held_by(user), project=project_id_of(target), admin=True)
        administering += _with_holders(above)
    return Details(
        admin=role == ADMIN or bool(administering),
        admin_origin=_origin(administering, directly=role == ADMIN),
        origins={
            each.key: _origin(granting, key=each.key)
            for each in permissions_at(level_of(target))
            if (granting := [grant for grant in grants if each.key in grant.permissions])
        },
    )


def _with_holders(grants: Any) -> list[Grant]:
    return list(grants.select_related("group", "role").order_by("pk"))


def _origin(grants: Collection[Grant], *, directly: bool = False, key: str = "") -> Origin:
    groups = {each.group.pk: each.group for each in grants if each.group}
    roles = {each.role.pk: (each.role, each.permissions.get(key, [])) for each in grants if each.role}
    return Origin(
        is_directly_granted=directly or any(each.user_id for each in grants),
        derived_from={
            "groups": [{"id": group.pk, "name": group.name} for group in groups.values()],
            "roles": [{"id": role.pk, "name": role.name, "tags": tags} for role, tags in roles.values()],
        },
    )
