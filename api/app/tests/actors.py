"""Everybody who may send a request: what they send to say who they are, and what they hold in a world.

What each holds is written down here by the Flagsmith contract, "How they add up", and not asked of the
product, whose answer it is compared with.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.authtoken.models import Token

from app.tests.rights import (
    ENVIRONMENT_ADMIN,
    GROUP_ADMIN,
    MEMBER,
    ORGANISATION_ADMIN,
    PROJECT_ADMIN,
    SDK_KEY,
    SELF,
    SERVER_KEY,
    SIGNED_IN,
    USER,
    Gate,
    Right,
)
from app.tests.world import World
from environments.models import Environment
from organisations.models import MasterKey, MemberRole
from organisations.tests.factories import make_key
from permissions.catalogue import Level, permissions_at
from permissions.tests.factories import grant as grant_alone
from permissions.tests.factories import make_group, make_role
from projects.models import Project
from users.models import User
from users.tests.factories import make_user

KEYS = {level: [each.key for each in permissions_at(level)] for level in Level}
IN_ENVIRONMENT = frozenset({ENVIRONMENT_ADMIN, *KEYS[Level.ENVIRONMENT]})
IN_PROJECT = frozenset({PROJECT_ADMIN, *KEYS[Level.PROJECT]}) | IN_ENVIRONMENT
IN_ORGANISATION = frozenset({ORGANISATION_ADMIN, GROUP_ADMIN, *KEYS[Level.ORGANISATION]}) | IN_PROJECT
MEMBERSHIP = frozenset({SIGNED_IN, MEMBER})


@dataclass(frozen=True)
class Actor:
    """Who sends a request.

    Attributes:
        holds: permissions and standings in the world that it was made for.
        holds_for_tags: permissions for the tag that the world's features carry.
        is_refused: what is sent is no good, or no longer.
    """

    name: str
    headers: dict[str, str] = field(repr=False, default_factory=dict)
    holds: frozenset[str] = frozenset()
    holds_for_tags: frozenset[str] = frozenset()
    is_machine: bool = False
    is_refused: bool = False

    def passes(self, gate: Gate) -> bool:
        held = self.holds | self.holds_for_tags if gate.for_tags else self.holds
        return not held.isdisjoint(gate.permissions)

    def stopped_by(self, right: Right) -> Gate | None:
        """Return what the actor doesn't get through; None for who has every right that is asked for."""
        return next((gate for gate in right.gates if not self.passes(gate)), None)


def everybody(world: World) -> list[Actor]:
    """Make all the actors of a world. The features of the world carry its tag."""
    return [
        *_keys(world),
        *_holders_of_one_permission(world),
        *_holders_by_way_of(world),
        *_holders_for_tags(world),
        *_administrators(world),
        *_machines(world),
        *_outsiders(world),
    ]


def user_actor(name: str, user: User, *held: str, **more: Any) -> Actor:
    return Actor(name, _token(user), frozenset({SIGNED_IN, USER, *held}), **more)


def _token(user: User) -> dict[str, str]:
    return {"Authorization": f"Token {Token.objects.create(user=user).key}"}


def member(world: World, role: MemberRole = MemberRole.USER) -> User:
    user = make_user()
    world.organisation.memberships.create(user=user, role=role)
    return user


def _keys(world: World) -> Iterator[Actor]:
    keys = world.environment.server_side_keys
    expired = keys.create(name="expired", expires_at=timezone.now() - timedelta(days=1))
    revoked = keys.create(name="revoked", active=False)
    yield Actor("nobody")
    yield _sdk_key("a client key", world.environment.api_key, SDK_KEY)
    yield _sdk_key("a server key", world.server_key.key, SDK_KEY, SERVER_KEY)
    yield _sdk_key("an expired server key", expired.key)
    yield _sdk_key("a revoked server key", revoked.key)
    yield Actor("an unknown token", {"Authorization": f"Token {'0' * 40}"}, is_refused=True)


def _sdk_key(name: str, key: str, *held: str) -> Actor:
    return Actor(name, {"X-Environment-Key": key}, frozenset(held))


def _holders_of_one_permission(world: World) -> Iterator[Actor]:
    yield user_actor("a member without rights", world.member, MEMBER, SELF)
    for level, keys in KEYS.items():
        for key in keys:
            user = member(world)
            grant(user, _target(world, level), key)
            yield user_actor(f"a holder of {key}", user, MEMBER, key)
    user = member(world)
    for level, keys in KEYS.items():
        grant(user, _target(world, level), *keys)
    yield user_actor(
        "a holder of every permission", user, MEMBER, *(key for each in KEYS.values() for key in each)
    )


def _holders_by_way_of(world: World) -> Iterator[Actor]:
    for level, key in REPRESENTATIVES.items():
        target = _target(world, level)
        in_group, with_role, in_group_with_role = (member(world) for _ in range(3))
        group = make_group(world.organisation, in_group)
        grant(group, target, key)
        yield user_actor(f"one of a group that holds {key}", in_group, MEMBER, key)
        grant(make_role(world.organisation, with_role), target, key)
        yield user_actor(f"one with a role that holds {key}", with_role, MEMBER, key)
        roled = make_group(world.organisation, in_group_with_role)
        grant(make_role(world.organisation, roled), target, key)
        yield user_actor(f"one of a group with a role that holds {key}", in_group_with_role, MEMBER, key)


REPRESENTATIVES = {
    Level.ORGANISATION: "CREATE_PROJECT",
    Level.PROJECT: "VIEW_PROJECT",
    Level.ENVIRONMENT: "UPDATE_FEATURE_STATE",
}


def _holders_for_tags(world: World) -> Iterator[Actor]:
    other = world.project.tags.create(label="no feature has it")
    for level in Level:
        tagged = [each.key for each in permissions_at(level) if each.supports_tag]
        for key in tagged:
            user = member(world)
            role = make_role(world.organisation, user)
            grant(role, _target(world, level), key, tags=(world.tag.pk,))
            yield user_actor(
                f"a holder of {key} for the feature's tag", user, MEMBER, holds_for_tags=frozenset({key})
            )
        if tagged:
            user = member(world)
            grant(make_role(world.organisation, user), _target(world, level), *tagged, tags=(other.pk,))
            yield user_actor(f"a holder of {', '.join(tagged)} for another tag", user, MEMBER)


def _administrators(world: World) -> Iterator[Actor]:
    yield Actor(
        "an administrator of the organisation",
        {"Authorization": f"Token {world.token}"},
        MEMBERSHIP | IN_ORGANISATION | {USER, SELF},
    )
    for name, target, held in [
        ("the project", world.project, IN_PROJECT),
        ("the environment", world.environment, IN_ENVIRONMENT),
    ]:
        direct, in_group, with_role = (member(world) for _ in range(3))
        grant(direct, target, admin=True)
        grant(make_group(world.organisation, in_group), target, admin=True)
        grant(make_role(world.organisation, with_role), target, admin=True)
        yield user_actor(f"an administrator of {name}", direct, MEMBER, *held)
        yield user_actor(f"an administrator of {name} by a group", in_group, MEMBER, *held)
        yield user_actor(f"an administrator of {name} by a role", with_role, MEMBER, *held)
    of_group = member(world)
    world.group.memberships.create(user=of_group, is_admin=True)
    yield user_actor("an administrator of the group", of_group, MEMBER, GROUP_ADMIN)
    neighbour = Project.objects.create(organisation=world.organisation, name="neighbour")
    sibling = Environment.objects.create(project=world.project, name="sibling")
    of_neighbour, of_sibling = member(world), member(world)
    grant(of_neighbour, neighbour, admin=True)
    grant_alone(of_sibling, sibling, admin=True)
    yield user_actor("an administrator of another project", of_neighbour, MEMBER)
    yield user_actor("an administrator of another environment", of_sibling, MEMBER)


def _machines(world: World) -> Iterator[Actor]:
    scoped = {
        name: make_key(world.organisation, is_admin=False) for name in ("bare", "roled", "tagged", "other")
    }
    roles = {name: make_role(world.organisation, key) for name, key in scoped.items() if name != "bare"}
    grant(roles["roled"], world.environment, "VIEW_ENVIRONMENT", "MANAGE_IDENTITIES")
    grant(roles["tagged"], world.environment, "UPDATE_FEATURE_STATE", tags=(world.tag.pk,))
    grant(roles["other"], world.project, admin=True)
    yield _machine("an admin master key", world.master_key, *MEMBERSHIP, *IN_ORGANISATION)
    yield _machine("a scoped master key without a role", scoped["bare"], *MEMBERSHIP)
    yield _machine(
        "a scoped master key with a role",
        scoped["roled"],
        *MEMBERSHIP,
        "VIEW_ENVIRONMENT",
        "MANAGE_IDENTITIES",
    )
    yield _machine(
        "a scoped master key with a role for the feature's tag",
        scoped["tagged"],
        *MEMBERSHIP,
        holds_for_tags=frozenset({"UPDATE_FEATURE_STATE"}),
    )
    yield _machine(
        "a scoped master key that administers the project", scoped["other"], *MEMBERSHIP, *IN_PROJECT
    )
    ended = {
        "an expired": make_key(world.organisation, expiry_date=timezone.now() - timedelta(days=1)),
        "a revoked": make_key(world.organisation, revoked=True),
        "a deleted": make_key(world.organisation),
    }
    ended["a deleted"].delete()
    for name, key in ended.items():
        yield _machine(f"{name} master key", key, is_refused=True)


def _machine(name: str, key: MasterKey, *held: str, **more: Any) -> Actor:
    headers = {"Authorization": f"Api-Key {key.secret}"}
    return Actor(name, headers, frozenset(held), is_machine=True, **more)


def _outsiders(world: World) -> Iterator[Actor]:
    yield user_actor("a former member", _former_member(world))
    inactive = member(world, MemberRole.ADMIN)
    inactive.is_active = False
    inactive.save()
    yield Actor("an administrator whose account is inactive", _token(inactive), is_refused=True)
    yield user_actor("staff", make_user(is_staff=True))
    yield user_actor("a superuser", make_user(is_staff=True, is_superuser=True))


def _former_member(world: World) -> User:
    """Return who was an administrator, and whose grants were left behind."""
    user = member(world, MemberRole.ADMIN)
    grant(user, world.organisation, *KEYS[Level.ORGANISATION])
    grant(user, world.project, *KEYS[Level.PROJECT], admin=True)
    grant(user, world.environment, *KEYS[Level.ENVIRONMENT], admin=True)
    grant(make_group(world.organisation, user), world.project, admin=True)
    grant(make_role(world.organisation, user), world.environment, admin=True)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger tidies up
        user.memberships.all().delete()
        cursor.execute("SET LOCAL session_replication_role = origin")
    return user


def grant(holder: Any, target: Any, *keys: str, **more: Any) -> None:
    """Grant something; in the environment that keeps versions, the same as in the world's environment."""
    grant_alone(holder, target, *keys, **more)
    if isinstance(target, Environment):
        twin = target.project.environments.get(use_v2_feature_versioning=True)
        grant_alone(holder, twin, *keys, **more)


def _target(world: World, level: Level) -> Any:
    return {
        Level.ORGANISATION: world.organisation,
        Level.PROJECT: world.project,
        Level.ENVIRONMENT: world.environment,
    }[level]
