"""Groups of an organisation's members."""

from django.conf import settings
from django.db import models

from core.history import remembers
from organisations.models.organisation import Organisation


class Group(models.Model):
    """Members who are granted permissions together. Who joins the organisation joins its default groups."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=200)
    is_default = models.BooleanField(default=False, help_text="New members of the organisation join it.")
    external_id = models.CharField(
        max_length=255, null=True, blank=True, help_text="Its name in another system, once per organisation."
    )
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="GroupMembership", related_name="permission_groups"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "external_id"],
                name="group_external_id_once",
                violation_error_message="A group with this external id already exists.",
            )
        ]
        triggers = remembers(organisation="changed.organisation_id")

    def __str__(self) -> str:
        return self.name


class GroupMembership(models.Model):
    """A user in a group. Its administrators say who else is."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="group_memberships"
    )
    is_admin = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["group", "user"],
                name="one_group_membership_per_user",
                violation_error_message="This user already is in the group.",
            )
        ]
        triggers = remembers(
            name="(SELECT email FROM users_user WHERE id = changed.user_id)",
            organisation="(SELECT organisation_id FROM organisations_group WHERE id = changed.group_id)",
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"
