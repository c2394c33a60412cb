"""Who belongs to an organisation."""

import pgtrigger
from django.conf import settings
from django.db import models

from core.history import remembers
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


# Who leaves takes nothing along: what was granted in the organisation, directly, by its groups and its roles,
# would be theirs again if they came back. Grants stand in tables above, which this names and doesn't import.
_FORGET_WHO_LEAVES = """
DELETE FROM organisations_groupmembership AS membership USING organisations_group AS "group"
WHERE membership.user_id = OLD.user_id
AND membership.group_id = "group".id AND "group".organisation_id = OLD.organisation_id;
DELETE FROM permissions_roleassignment AS assignment USING permissions_role AS role
WHERE assignment.user_id = OLD.user_id
AND assignment.role_id = role.id AND role.organisation_id = OLD.organisation_id;
DELETE FROM permissions_organisationgrant AS "grant"
WHERE "grant".user_id = OLD.user_id AND "grant".organisation_id = OLD.organisation_id;
DELETE FROM permissions_projectgrant AS "grant" USING projects_project AS project
WHERE "grant".user_id = OLD.user_id
AND "grant".project_id = project.id AND project.organisation_id = OLD.organisation_id;
DELETE FROM permissions_environmentgrant AS "grant"
USING environments_environment AS environment, projects_project AS project
WHERE "grant".user_id = OLD.user_id
AND "grant".environment_id = environment.id AND environment.project_id = project.id
AND project.organisation_id = OLD.organisation_id;
RETURN NULL;
"""


class OrganisationMembership(models.Model):
    """A user's place in an organisation. The last administrator among its members keeps the role.

    `services.join`, `leave` and `remove_members` are the ways in and out. Whatever else removes a row, what
    the user was granted in the organisation goes with it.
    """

    changes_with = "organisation"

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
            ),
            pgtrigger.Trigger(
                name="forget_who_leaves",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("user_id", "organisation_id") | pgtrigger.Delete,
                func=_FORGET_WHO_LEAVES,
            ),
            *remembers(
                name="(SELECT email FROM users_user WHERE id = changed.user_id)",
                organisation="changed.organisation_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}"
