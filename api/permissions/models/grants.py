"""What users, groups and roles may do, on organisations, projects and environments."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from permissions.models.holders import exactly_one
from permissions.models.role import Role


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


def _one_of_each(target: str) -> list[models.BaseConstraint]:
    """Constraints: a grant has one holder, and a holder one grant on a target."""
    return [
        models.CheckConstraint(
            condition=exactly_one("user", "group", "role"), name=f"{target}_grant_has_one_holder"
        ),
        *(
            models.UniqueConstraint(
                fields=[target, holder],
                condition=Q(**{f"{holder}__isnull": False}),
                name=f"{target}_grant_once_per_{holder}",
                violation_error_message=f"Permissions of this {holder} exist already.",
            )
            for holder in ("user", "group", "role")
        ),
    ]


class OrganisationGrant(Grant):
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="grants"
    )

    class Meta:
        ordering = ["id"]
        constraints = _one_of_each("organisation")


class ProjectGrant(Grant):
    """`admin` brings everything in the project and its environments."""

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="grants")
    admin = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = _one_of_each("project")


class EnvironmentGrant(Grant):
    """`admin` brings everything in the environment."""

    environment = models.ForeignKey(
        "environments.Environment", on_delete=models.CASCADE, related_name="grants"
    )
    admin = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = _one_of_each("environment")
