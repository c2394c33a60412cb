"""Granting permissions, and roles. Nothing of this is written to the audit log."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from django.db import transaction

from core.errors import InvalidInput
from permissions.actors import Actor, Machine
from permissions.holdings import role_in
from permissions.models import EnvironmentGrant, Grant, ProjectGrant, Role
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


class RoleFields(TypedDict, total=False):
    name: str
    description: str | None
    tags: Sequence[int]


@transaction.atomic
def create_role(organisation: Any, *, tags: Sequence[int] = (), **fields: Any) -> Role:
    """Make a role that grants nothing yet.

    Raises:
        InvalidInput: a tag is of no project of the organisation.
    """
    role: Role = Role.objects.create(organisation=organisation, **fields)
    role.tags.set(_tags(organisation.pk, tags))
    return role


@transaction.atomic
def update_role(role: Role, **changes: Unpack[RoleFields]) -> Role:
    """Change what is given of a role. What it grants, and to whom, stands elsewhere.

    Raises:
        InvalidInput: a tag is of no project of the organisation.
    """
    columns = {name: value for name, value in changes.items() if name != "tags"}
    for name, value in columns.items():
        setattr(role, name, value)
    role.save(update_fields=list(columns))
    if "tags" in changes:
        role.tags.set(_tags(role.organisation_id, changes["tags"]))
    return role


def forget_tag(tag_id: int, project: Any) -> None:
    """Take a tag that is about to be deleted out of what roles grant for features that carry it.

    A permission for this tag alone goes altogether: without tags it would be one for all features.
    """
    for grants in (
        ProjectGrant.objects.filter(project=project),
        EnvironmentGrant.objects.filter(environment__project=project),
    ):
        for grant in grants.filter(role__isnull=False).select_for_update(of=("self",)):
            limited = {key: tags for key, tags in grant.permissions.items() if tag_id in tags}
            left = {key: [each for each in tags if each != tag_id] for key, tags in limited.items()}
            kept = {key: tags for key, tags in grant.permissions.items() if key not in limited}
            if limited:
                change_grant(grant, permissions={**kept, **{key: tags for key, tags in left.items() if tags}})


def tags_of_projects(ids: Iterable[int], **projects: Any) -> list[Any]:
    """Return the tags with these ids, of projects that meet a condition, e.g. `project=…`.

    Raises:
        InvalidInput: one is none of them.
    """
    wanted = set(ids)
    known = list(Role.tags.rel.model._default_manager.filter(pk__in=wanted, **projects))
    if strange := sorted(wanted - {tag.pk for tag in known}):
        raise InvalidInput({"tags": [f"There are no tags with the ids {strange} here."]})
    return known


def _tags(organisation_id: int, ids: Iterable[int]) -> list[Any]:
    return tags_of_projects(ids, project__organisation=organisation_id)
