"""What permissions are held on: organisations, projects and environments."""

from typing import Any

from permissions.catalogue import Level


def level_of(target: Any) -> Level:
    """Return at which level permissions on `target` are held."""
    if hasattr(target, "organisation_id"):
        return Level.PROJECT
    return Level.ENVIRONMENT if hasattr(target, "project_id") else Level.ORGANISATION


def organisation_id_of(target: Any) -> int:
    """Return the id of the organisation that an organisation, project or environment belongs to."""
    match level_of(target):
        case Level.ORGANISATION:
            return int(target.pk)
        case Level.PROJECT:
            return int(target.organisation_id)
        case Level.ENVIRONMENT:
            return int(target.project.organisation_id)


def project_id_of(target: Any) -> int:
    """Return the id of the project that a project or environment belongs to."""
    return int(target.pk if level_of(target) is Level.PROJECT else target.project_id)
