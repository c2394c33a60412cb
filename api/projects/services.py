"""Projects and tags. Nothing of this is written to the audit log."""

from typing import TypedDict, Unpack

from django.db import transaction

from organisations.models import Organisation
from permissions.actors import Actor
from permissions.services import forget_tag, make_administrator
from projects.exceptions import SystemTagChangedError, SystemTagDeletedError
from projects.models import Project, Tag, TagType

# Label and colour.
SYSTEM_TAGS = {
    TagType.STALE: ("Stale", "#8C8C8C"),
    TagType.UNHEALTHY: ("Unhealthy", "#FFC0CB"),
}


class ProjectFields(TypedDict, total=False):
    name: str
    hide_disabled_flags: bool
    prevent_flag_defaults: bool
    enable_realtime_updates: bool
    only_allow_lower_case_feature_names: bool
    feature_name_regex: str | None
    show_edge_identity_overrides_for_feature: bool
    stale_flags_limit_days: int
    minimum_change_request_approvals: int | None
    enforce_feature_owners: bool


class TagFields(TypedDict, total=False):
    label: str
    color: str
    description: str | None
    is_permanent: bool


@transaction.atomic
def create_project(organisation: Organisation, *, creator: Actor, **fields: Unpack[ProjectFields]) -> Project:
    """Make a project, which its creator administers, without environments: clients create those.

    Raises:
        IntegrityError: the organisation has a project of this name.
    """
    project: Project = Project.objects.create(organisation=organisation, **fields)
    make_administrator(creator, project)
    return project


@transaction.atomic
def update_project(project: Project, **changes: Unpack[ProjectFields]) -> Project:
    """Change a project: only the fields given are written.

    Raises:
        IntegrityError: the organisation has another project of this name.
    """
    for name, value in changes.items():
        setattr(project, name, value)
    project.save(update_fields=list(changes))
    return project


def delete_project(project: Project) -> None:
    """Delete a project and all that is in it. The keys of its environments stop working at once."""
    project.delete()


def create_tag(project: Project, **fields: Unpack[TagFields]) -> Tag:
    return Tag.objects.create(project=project, **fields)


@transaction.atomic
def update_tag(tag: Tag, **changes: Unpack[TagFields]) -> Tag:
    """Change a tag: only the fields given are written.

    Raises:
        SystemTagChangedError: the server sets it.
    """
    if tag.is_system_tag:
        raise SystemTagChangedError
    for name, value in changes.items():
        setattr(tag, name, value)
    tag.save(update_fields=list(changes))
    return tag


@transaction.atomic
def delete_tag(tag: Tag) -> None:
    """Delete a tag, which takes it off all features and out of what roles grant for features that carry it.

    Raises:
        SystemTagDeletedError: the server sets it.
    """
    if tag.is_system_tag:
        raise SystemTagDeletedError
    forget_tag(tag.pk, tag.project)
    tag.delete()


def system_tag(project: Project, type_: TagType) -> Tag:
    """Return a project's tag of a type that only the server puts on features. It is made when it's needed."""
    label, color = SYSTEM_TAGS[type_]
    tag, _ = Tag.objects.get_or_create(
        project=project, type=type_, label=label, is_system_tag=True, defaults={"color": color}
    )
    return tag
