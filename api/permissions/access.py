"""May this actor do this on that object? The one place that answers.

Every viewset, the admin and whatever else guards something asks here. The keys are the Flagsmith
permission catalogue's; `permissions.holdings` adds up who holds which.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from rest_framework.exceptions import APIException, PermissionDenied

from permissions.actors import Actor, is_nobody
from permissions.catalogue import ADMIN, MEMBER, Level, level_of_permission, permissions_at
from permissions.holdings import ALL_FEATURES, held_by, holdings_of, organisation_ids, role_in
from permissions.models import EnvironmentGrant, ProjectGrant
from permissions.targets import level_of, organisation_id_of, project_id_of


@dataclass(frozen=True)
class Grants:
    """What an actor holds on one object. An administrator holds everything, and no key singly."""

    admin: bool
    permissions: list[str]
    tag_based_permissions: list[dict[str, Any]] = field(default_factory=list)


def may(actor: Actor, permission: str, target: Any, *, tags: Collection[int] | None = None) -> bool:
    """Whether `actor` holds `permission` on an organisation, project or environment.

    Args:
        permission: a key of `permissions.catalogue`; `ADMIN` for what only administrators of the target
            may do, `MEMBER` for what all members of its organisation may.
        target: an environment brings its project along without a query.
        tags: the ids of the tags of the feature in question. Without a feature, permissions that were
            granted for some tags only don't count.
    """
    if permission == MEMBER:  # which takes no look at what was granted
        return role_in(actor, organisation_id_of(target)) is not None
    if _is_for_administrators(permission, target):
        permission = ADMIN
    return holdings_of(actor, target).include(permission, tags)


def may_for_some_features(actor: Actor, permission: str, target: Any) -> bool:
    """Whether `actor` holds `permission` on `target` for all features or for those with certain tags."""
    return holdings_of(actor, target).include_for_some(permission)


def require(
    actor: Actor,
    permission: str,
    target: Any,
    *,
    tags: Collection[int] | None = None,
    otherwise: type[APIException] = PermissionDenied,
) -> None:
    """Refuse whoever doesn't hold `permission` on `target`.

    Args:
        tags: as for `may`.
        otherwise: `NotFound` where the contract hides what one may not see.

    Raises:
        APIException: the actor doesn't hold it.
    """
    if not may(actor, permission, target, tags=tags):
        raise otherwise


def grants_of(actor: Actor, target: Any) -> Grants:
    """Return what `actor` holds on `target`, as `my-permissions/` shows it."""
    held = holdings_of(actor, target)
    if held.admin:
        return Grants(admin=True, permissions=[])
    known = [each.key for each in permissions_at(level_of(target)) if each.key in held.tags_by_key]
    return Grants(
        admin=False,
        permissions=[key for key in known if held.tags_by_key[key] == ALL_FEATURES],
        tag_based_permissions=[
            {"permissions": [key], "tags": sorted(held.tags_by_key[key])}
            for key in known
            if held.tags_by_key[key] != ALL_FEATURES
        ],
    )


def visible(actor: Actor, rows: QuerySet, permission: str, at: str = "") -> QuerySet:
    """Narrow `rows` to those on whose project or environment `actor` holds `permission`.

    Args:
        permission: a key whose level says what stands at `at`, a project or an environment. Grants for
            some tags only don't count.
        at: the look-up from a row to that object, e.g. `environment`; nothing where the rows are it.
    """
    if is_nobody(actor):
        return rows.none()
    return rows.filter(_holding(actor, permission, f"{at}__" if at else ""))


def administered(actor: Actor, rows: QuerySet, at: str) -> QuerySet:
    """Narrow `rows` to those in environments that `actor` administers.

    Args:
        at: the look-up from a row to its environment, e.g. `environment`.
    """
    if is_nobody(actor):
        return rows.none()
    of_projects = ProjectGrant.objects.filter(held_by(actor), admin=True).values("project")
    of_environments = EnvironmentGrant.objects.filter(held_by(actor), admin=True).values("environment")
    organisation = f"{at}__project__organisation__in"
    granted = Q(**{f"{at}__project__in": of_projects}) | Q(**{f"{at}__in": of_environments})
    return rows.filter(
        Q(**{organisation: organisation_ids(actor, role=ADMIN)})
        | (Q(**{organisation: organisation_ids(actor)}) & granted)
    )


def within_reach(actor: Actor, rows: QuerySet, at: str) -> QuerySet:
    """Narrow `rows` to those of the organisations that `actor` belongs to, whatever may be done with them.

    Args:
        at: the look-up from a row to its organisation, e.g. `environment__project__organisation`.
    """
    return rows.none() if is_nobody(actor) else rows.filter(**{f"{at}__in": organisation_ids(actor)})


def users_who_may(permission: str, target: Any) -> QuerySet[Any]:
    """Return the users who hold `permission` on a project or an environment, whatever a feature's tags."""
    members = get_user_model()._default_manager.filter(memberships__organisation=organisation_id_of(target))
    allowed = Q(memberships__organisation=organisation_id_of(target), memberships__role=ADMIN)
    granting = [target.grants.filter(_brings(permission))]
    if level_of(target) is Level.ENVIRONMENT:
        granting.append(ProjectGrant.objects.filter(project=project_id_of(target), admin=True))
    for grants in granting:
        roles = grants.values("role")
        allowed |= (
            Q(pk__in=grants.values("user"))
            | Q(group_memberships__group__in=grants.values("group"))
            | Q(role_assignments__role__in=roles)
            | Q(group_memberships__group__role_assignments__role__in=roles)
        )
    return members.filter(allowed).distinct()


def is_organisation_admin(actor: Actor, organisation_id: int) -> bool:
    return role_in(actor, organisation_id) == ADMIN


def _is_for_administrators(permission: str, target: Any) -> bool:
    """Whether only administrators hold `permission`, whoever else was granted it."""
    return permission == "CREATE_PROJECT" and target.restrict_project_create_to_admin


def _holding(actor: Actor, permission: str, at: str) -> Q:
    """Return the condition that `actor` holds `permission` on what stands at `at`."""
    if level_of_permission(permission) is Level.PROJECT:
        organisation = f"{at}organisation__in"
        granted = Q(**{f"{at}id__in": _granting(ProjectGrant, actor, permission).values("project")})
    else:
        organisation = f"{at}project__organisation__in"
        administered = ProjectGrant.objects.filter(held_by(actor), admin=True).values("project")
        granted = Q(**{f"{at}project__in": administered}) | Q(
            **{f"{at}id__in": _granting(EnvironmentGrant, actor, permission).values("environment")}
        )
    # A grant of somebody who has left the organisation is none.
    return Q(**{organisation: organisation_ids(actor, role=ADMIN)}) | (
        Q(**{organisation: organisation_ids(actor)}) & granted
    )


def _granting(model: type[ProjectGrant] | type[EnvironmentGrant], actor: Actor, permission: str) -> QuerySet:
    """Return the actor's grants that bring `permission`, for features with any tags."""
    return model.objects.filter(held_by(actor)).filter(_brings(permission))


def _brings(permission: str) -> Q:
    return Q(admin=True) | Q(**{f"permissions__{permission}": []})
