"""The permission keys, by level (the Flagsmith management contract, "Permissions in short")."""

from dataclasses import dataclass
from enum import Enum

# Not in the catalogue, but asked for like its keys: being an administrator of the target, and belonging
# to the organisation at all.
ADMIN = "ADMIN"
MEMBER = "MEMBER"


class Level(Enum):
    """What permissions are held on."""

    ORGANISATION = "organisation"
    PROJECT = "project"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Permission:
    """A key as the three `permissions/` lists show it."""

    key: str
    description: str
    supports_tag: bool = False


ORGANISATION_PERMISSIONS = (
    Permission("CREATE_PROJECT", "Create projects in this organisation."),
    Permission("MANAGE_USER_GROUPS", "Create, change and delete groups and their members."),
)
PROJECT_PERMISSIONS = (
    Permission("VIEW_PROJECT", "See this project, its features, segments and tags."),
    Permission("CREATE_ENVIRONMENT", "Create and clone environments."),
    Permission("CREATE_FEATURE", "Create and edit features, their owners and their variants."),
    Permission("DELETE_FEATURE", "Delete features.", supports_tag=True),
    Permission("MANAGE_SEGMENTS", "Create, edit and delete segments."),
    Permission("MANAGE_TAGS", "Create, edit and delete tags."),
    Permission("VIEW_AUDIT_LOG", "Read this project's audit log."),
    Permission("CREATE_PROJECT_LEVEL_CHANGE_REQUESTS", "Ask for changes of segments."),
    Permission("APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS", "Approve changes of segments."),
    Permission("MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS", "Commit and discard changes of segments."),
)
ENVIRONMENT_PERMISSIONS = (
    Permission("VIEW_ENVIRONMENT", "See this environment and its feature states."),
    Permission("UPDATE_FEATURE_STATE", "Change what features serve in this environment.", supports_tag=True),
    Permission("MANAGE_SEGMENT_OVERRIDES", "Create and change segment overrides.", supports_tag=True),
    Permission("VIEW_IDENTITIES", "See identities and their traits."),
    Permission("MANAGE_IDENTITIES", "Create, change and delete identities and their traits."),
    Permission("CREATE_CHANGE_REQUEST", "Ask for changes in this environment.", supports_tag=True),
    Permission("APPROVE_CHANGE_REQUEST", "Approve changes in this environment.", supports_tag=True),
    Permission(
        "BREAK_GLASS",
        "In an emergency, change what features serve without the approval that it needs.",
        supports_tag=True,
    ),
)


def permissions_at(level: Level) -> tuple[Permission, ...]:
    """Return the keys of one level, in the order in which clients show them."""
    return {
        Level.ORGANISATION: ORGANISATION_PERMISSIONS,
        Level.PROJECT: PROJECT_PERMISSIONS,
        Level.ENVIRONMENT: ENVIRONMENT_PERMISSIONS,
    }[level]


def level_of_permission(key: str) -> Level:
    """Return the level that a key of the catalogue belongs to."""
    return next(level for level in Level if any(each.key == key for each in permissions_at(level)))
