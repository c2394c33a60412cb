"""Invitations to an organisation: of one person by e-mail, or of whoever has a link."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from core.history import remembers
from core.keys import short_key
from organisations.models.group import Group
from organisations.models.membership import MemberRole
from organisations.models.organisation import Organisation


class Invite(models.Model):
    """Lets the owner of an e-mail address join, once. `hash` stands in the mail's link and nowhere else."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invites")
    email = models.EmailField("e-mail address")
    hash = models.CharField(max_length=100, default=short_key, unique=True, editable=False)
    role = models.CharField(max_length=50, choices=MemberRole, default=MemberRole.USER)
    permission_groups = models.ManyToManyField(Group, blank=True, related_name="+")
    date_created = models.DateTimeField(auto_now_add=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                "organisation",
                Lower("email"),
                name="one_invite_per_email",
                violation_error_message="This e-mail address is invited already.",
            )
        ]
        triggers = remembers(name="changed.email", organisation="changed.organisation_id", secrets=["hash"])

    def __str__(self) -> str:
        return f"{self.email} to {self.organisation}"


_INVITE = "(SELECT {column} FROM organisations_invite WHERE id = changed.invite_id)"


class InvitePermissionGroup(Invite.permission_groups.through):  # type: ignore[name-defined,misc]
    """No model of its own: carries the triggers of the table between invitations and groups."""

    class Meta:
        proxy = True
        triggers = remembers(
            name=_INVITE.format(column="email"), organisation=_INVITE.format(column="organisation_id")
        )


class InviteLink(models.Model):
    """Lets whoever knows `hash` join, any number of them, until it expires or is deleted."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invite_links")
    hash = models.CharField(max_length=100, default=short_key, unique=True, editable=False)
    role = models.CharField(max_length=50, choices=MemberRole, default=MemberRole.USER)
    date_created = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = remembers(name="changed.role", organisation="changed.organisation_id", secrets=["hash"])

    def __str__(self) -> str:
        return f"{self.role} of {self.organisation}"
