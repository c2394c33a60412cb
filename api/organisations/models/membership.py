"""Who belongs to an organisation."""

import pgtrigger
from django.conf import settings
from django.db import models

from organisations.models.organisation import Organisation


class MemberRole(models.TextChoices):
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
    role = models.CharField(max_length=50, choices=MemberRole, default=MemberRole.USER)
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
                condition=pgtrigger.Q(old__role=MemberRole.ADMIN),
                func=_KEEP_AN_ADMINISTRATOR,
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}"
