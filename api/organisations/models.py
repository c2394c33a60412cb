"""Organisations and who belongs to them. An organisation is a tenant: nothing crosses its border."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models

from core.models import SoftDeletableModel
from core.publishing import publishes


def stores_traits_by_default() -> bool:
    return settings.DEFAULT_ORG_STORE_TRAITS_VALUE


class Organisation(SoftDeletableModel):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=2000)
    created_date = models.DateTimeField(auto_now_add=True)
    webhook_notification_email = models.EmailField(null=True, blank=True)
    persist_trait_data = models.BooleanField(
        default=stores_traits_by_default, help_text="Whether traits that SDKs send are stored."
    )
    stop_serving_flags = models.BooleanField(default=False, help_text="SDK requests get 403.")
    feature_analytics = models.BooleanField(default=False)
    block_access_to_admin = models.BooleanField(default=False)
    restrict_project_create_to_admin = models.BooleanField(default=False)
    force_2fa = models.BooleanField("require two-factor sign-in", default=False)
    users = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="OrganisationMembership", related_name="organisations"
    )

    class Meta:
        ordering = ["id"]
        triggers = publishes(
            "SELECT project.id AS project_id, 0 AS environment_id "
            "FROM {changed} JOIN projects_project AS project ON project.organisation_id = changed.id",
            ["id", "name", "persist_trait_data", "stop_serving_flags", "feature_analytics", "deleted_at"],
        )

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    ADMIN = "ADMIN", "Organisation administrator"
    USER = "USER", "User"


# The lock makes two administrators who leave at once wait for each other; the second then sees that the
# first has gone.
_KEEP_AN_ADMINISTRATOR = """
PERFORM FROM organisations_organisation
WHERE id = OLD.organisation_id AND deleted_at IS NULL FOR NO KEY UPDATE;
IF FOUND
AND EXISTS (SELECT FROM organisations_organisationmembership WHERE organisation_id = OLD.organisation_id)
AND NOT EXISTS (
    SELECT FROM organisations_organisationmembership
    WHERE organisation_id = OLD.organisation_id AND role = 'ADMIN'
) THEN
    RAISE check_violation USING MESSAGE = 'An organisation needs an administrator.';
END IF;
RETURN NULL;
"""


class OrganisationMembership(models.Model):
    """A user's place in an organisation. The last administrator among its members keeps the role."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=50, choices=Role, default=Role.USER)
    date_joined = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"],
                name="one_membership_per_user",
                violation_error_message="This user already belongs to the organisation.",
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keep_an_administrator",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("role", "organisation_id") | pgtrigger.Delete,
                condition=pgtrigger.Q(old__role=Role.ADMIN),
                func=_KEEP_AN_ADMINISTRATOR,
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}"
