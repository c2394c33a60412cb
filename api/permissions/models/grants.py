"""What users, groups and roles may do, on organisations, projects and environments."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.history import remembers
from permissions.models.holders import exactly_one
from permissions.models.role import Role
from permissions.models.tenancy import refuses_strangers

HOLDERS = ("user", "group", "role")


class Grant(models.Model):
    """Permissions that one holder, a user, a group or a role, has on one target.

    `permissions` maps keys of the catalogue to the ids of tags. A key with tags is held only for features
    that carry one of them, a key with none for all. Whoever doesn't belong to the organisation has
    nothing from it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="%(class)ss"
    )
    group = models.ForeignKey(
        "organisations.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="%(class)ss"
    )
    role = models.ForeignKey(Role, on_delete=models.CASCADE, null=True, blank=True, related_name="%(class)ss")
    permissions = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.user or self.group or self.role}: {', '.join(self.permissions)}"

    @property
    def tagged_permissions(self) -> list[dict[str, Any]]:
        """`permissions`, as a role's are written: `[{"permission_key": "KEY", "tags": [4]}]`."""
        return [{"permission_key": key, "tags": tags} for key, tags in sorted(self.permissions.items())]


def _one_of_each(target: str) -> list[models.BaseConstraint]:
    """Constraints: a grant has one holder, and a holder one grant on a target."""
    return [
        models.CheckConstraint(condition=exactly_one(*HOLDERS), name=f"{target}_grant_has_one_holder"),
        *(
            models.UniqueConstraint(
                fields=[target, holder],
                condition=Q(**{f"{holder}__isnull": False}),
                name=f"{target}_grant_once_per_{holder}",
                violation_error_message=f"Permissions of this {holder} exist already.",
            )
            for holder in HOLDERS
        ),
    ]


_HOLDER = """coalesce(
    (SELECT email FROM users_user WHERE id = changed.user_id),
    (SELECT name FROM organisations_group WHERE id = changed.group_id),
    (SELECT name FROM permissions_role WHERE id = changed.role_id)
)"""


class OrganisationGrant(Grant):
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="grants"
    )

    class Meta:
        ordering = ["id"]
        constraints = _one_of_each("organisation")
        triggers = [
            refuses_strangers("SELECT NEW.organisation_id", *HOLDERS, of="organisation"),
            *remembers(name=_HOLDER, organisation="changed.organisation_id"),
        ]


class ProjectGrant(Grant):
    """`admin` brings everything in the project and its environments."""

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="grants")
    admin = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = _one_of_each("project")
        triggers = [
            refuses_strangers(
                "SELECT organisation_id FROM projects_project WHERE id = NEW.project_id",
                *HOLDERS,
                of="project",
            ),
            *remembers(name=_HOLDER, project="changed.project_id"),
        ]


class EnvironmentGrant(Grant):
    """`admin` brings everything in the environment."""

    environment = models.ForeignKey(
        "environments.Environment", on_delete=models.CASCADE, related_name="grants"
    )
    admin = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = _one_of_each("environment")
        triggers = [
            refuses_strangers(
                "SELECT project.organisation_id FROM environments_environment AS environment "
                "JOIN projects_project AS project ON project.id = environment.project_id "
                "WHERE environment.id = NEW.environment_id",
                *HOLDERS,
                of="environment",
            ),
            *remembers(name=_HOLDER, environment="changed.environment_id"),
        ]
