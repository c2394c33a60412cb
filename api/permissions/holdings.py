"""What an actor holds on one object, added up from every source.

An administrator of the organisation holds everything in it, one of the project everything in that, one of
the environment everything there. Others hold the union of what was granted to them, to their groups and to
their roles; nothing subtracts, and no key brings another. Without belonging to the organisation nothing
counts (the Flagsmith contract, "How they add up").
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from permissions.actors import Actor, Machine, is_nobody
from permissions.catalogue import ADMIN, MEMBER, Level
from permissions.models import EnvironmentGrant, OrganisationGrant, ProjectGrant, RoleAssignment
from permissions.targets import level_of, organisation_id_of, project_id_of

# The tags of a permission that is held whatever the feature's tags.
ALL_FEATURES: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Holdings:
    """What one actor holds on one target.

    `tags_by_key` maps the keys held to the ids of the tags they are limited to, or to `ALL_FEATURES`.
    """

    member: bool = False
    admin: bool = False
    tags_by_key: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def include(self, permission: str, tags: Collection[int] | None = None) -> bool:
        """Whether `permission` is held for a feature with these tags.

        Args:
            tags: ids; None where no feature is in question, and tag-limited permissions don't count.
        """
        if permission == MEMBER:
            return self.member
        if self.admin:
            return True
        if permission == ADMIN or permission not in self.tags_by_key:
            return False
        limits = self.tags_by_key[permission]
        return limits == ALL_FEATURES or (tags is not None and not limits.isdisjoint(tags))

    def include_for_some(self, permission: str) -> bool:
        """Whether `permission` is held for any feature at all."""
        return self.include(permission, self.tags_by_key.get(permission, ALL_FEATURES))


def holdings_of(actor: Actor, target: Any) -> Holdings:
    """Add up what `actor` holds on an organisation, a project or an environment. Three queries at most."""
    role = role_in(actor, organisation_id_of(target))
    if role is None:
        return Holdings()
    if role == ADMIN:
        return Holdings(member=True, admin=True)
    match level_of(target):
        case Level.ORGANISATION:
            granted = OrganisationGrant.objects.filter(held_by(actor), organisation=target.pk)
            return Holdings(True, False, _added_up(granted.values_list("permissions", flat=True)))
        case Level.PROJECT:
            return _holdings_from(ProjectGrant.objects.filter(held_by(actor), project=target.pk))
        case Level.ENVIRONMENT:
            above = ProjectGrant.objects.filter(held_by(actor), project=project_id_of(target), admin=True)
            if above.exists():
                return Holdings(member=True, admin=True)
            here = EnvironmentGrant.objects.filter(held_by(actor), environment=target.pk)
            return _holdings_from(here)


def role_in(actor: Actor, organisation_id: int) -> str | None:
    """Return the actor's role in an organisation, `ADMIN` or `USER`; None for who doesn't belong to it."""
    if isinstance(actor, Machine):
        if actor.organisation_id != organisation_id:
            return None
        return "ADMIN" if actor.is_admin else "USER"
    if is_nobody(actor):
        return None
    memberships = actor.memberships.filter(
        organisation_id=organisation_id, organisation__deleted_at__isnull=True
    )
    role: str | None = memberships.values_list("role", flat=True).first()
    return role


def organisation_ids(actor: Actor, *, role: str | None = None) -> Any:
    """Return the ids of the organisations that `actor` belongs to, or has this role in, for an `__in`."""
    if isinstance(actor, Machine):
        return [actor.organisation_id] if role in (None, role_in(actor, actor.organisation_id)) else []
    memberships = actor.memberships.filter(organisation__deleted_at__isnull=True)
    return (memberships if role is None else memberships.filter(role=role)).values("organisation")


def held_by(actor: Actor) -> Q:
    """Return the condition on grants that they are the actor's: directly, through a group or a role."""
    if isinstance(actor, Machine):
        return Q(role__in=_roles_where(master_key=actor.key_id))
    groups = actor.group_memberships.values("group")
    roles = _roles_where(user=actor) | _roles_where(group__in=groups)
    return Q(user=actor) | Q(group__in=groups) | Q(role__in=roles)


def _roles_where(**holder: Any) -> QuerySet[Any]:
    return RoleAssignment.objects.filter(**holder).values("role")


def _holdings_from(grants: QuerySet[Any]) -> Holdings:
    granted = list(grants.values_list("admin", "permissions"))
    if any(admin for admin, _ in granted):
        return Holdings(member=True, admin=True)
    return Holdings(True, False, _added_up(permissions for _, permissions in granted))


def _added_up(granted: Iterable[Mapping[str, Collection[int]]]) -> dict[str, frozenset[int]]:
    together: dict[str, frozenset[int]] = {}
    for permissions in granted:
        for key, tags in permissions.items():
            unlimited = not tags or together.get(key) == ALL_FEATURES
            together[key] = ALL_FEATURES if unlimited else together.get(key, frozenset()) | frozenset(tags)
    return together
