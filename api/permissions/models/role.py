"""Roles: named sets of permissions that users, groups and master keys are given."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.history import remembers
from permissions.models.holders import exactly_one
from permissions.models.tenancy import refuses_strangers

HOLDERS = ("user", "group", "master_key")


class Role(models.Model):
    """What it grants stands in the grants that name it."""

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.CASCADE, related_name="roles"
    )
    name = models.CharField(max_length=255)
    description = models.TextField(max_length=2000, null=True, blank=True)
    tags = models.ManyToManyField("projects.Tag", blank=True, related_name="+")

    class Meta:
        ordering = ["id"]
        triggers = remembers(organisation="changed.organisation_id")

    def __str__(self) -> str:
        return self.name


_ROLE = "(SELECT {column} FROM permissions_role WHERE id = changed.role_id)"


class RoleTag(Role.tags.through):  # type: ignore[name-defined,misc]
    """No model of its own: carries the triggers of the table between roles and tags."""

    class Meta:
        proxy = True
        triggers = remembers(
            name=_ROLE.format(column="name"), organisation=_ROLE.format(column="organisation_id")
        )


class RoleAssignment(models.Model):
    """A role, and the one who has it: a user, a group or a master key."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="role_assignments"
    )
    group = models.ForeignKey(
        "organisations.Group", on_delete=models.CASCADE, null=True, related_name="role_assignments"
    )
    master_key = models.ForeignKey(
        "organisations.MasterKey", on_delete=models.CASCADE, null=True, related_name="role_assignments"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=exactly_one(*HOLDERS), name="role_has_one_holder"),
            *(
                models.UniqueConstraint(
                    fields=["role", holder],
                    condition=Q(**{f"{holder}__isnull": False}),
                    name=f"role_once_per_{holder}",
                    violation_error_message="The role is assigned there already.",
                )
                for holder in HOLDERS
            ),
        ]
        triggers = [
            refuses_strangers(
                "SELECT organisation_id FROM permissions_role WHERE id = NEW.role_id", *HOLDERS, of="role"
            ),
            *remembers(name=_ROLE.format(column="name"), organisation=_ROLE.format(column="organisation_id")),
        ]

    def __str__(self) -> str:
        return f"{self.role} for {self.user or self.group or self.master_key}"
