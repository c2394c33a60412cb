"""Keys with which machines use the management API in an organisation's name."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils import timezone

from core.history import remembers
from core.models import SoftDeletableModel
from organisations.models.organisation import Organisation


class MasterKey(SoftDeletableModel):
    """A secret `<prefix>.<32 characters>`, of which only a hash is kept: it is shown once, when made.

    `is_admin` keys act as an administrator of their organisation; others hold what their roles grant.
    A deleted key's row stays, for what was written in its name, and opens nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="master_keys")
    prefix = models.CharField(max_length=8, unique=True, editable=False)
    hashed_key = models.CharField(
        max_length=64, editable=False, help_text="SHA-256 of the whole key, in hex."
    )
    name = models.CharField(max_length=50)
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revoked = models.BooleanField(default=False, help_text="For good: a revoked key can't be revived.")
    expiry_date = models.DateTimeField(null=True, blank=True)
    is_admin = models.BooleanField(default=True)

    # The whole key, only on the object that `create_master_key` returns.
    secret: str | None = None

    class Meta:
        ordering = ["-created"]
        triggers = [
            pgtrigger.Trigger(
                name="stay_revoked",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("revoked"),
                condition=pgtrigger.Q(old__revoked=True, new__revoked=False),
                func="RAISE check_violation USING MESSAGE = 'A revoked key can''t be revived.';",
            ),
            *remembers(organisation="changed.organisation_id", secrets=["hashed_key"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def has_expired(self) -> bool:
        return self.expiry_date is not None and self.expiry_date <= timezone.now()

    @property
    def works(self) -> bool:
        """Whether the key opens anything, its organisation permitting."""
        return not (self.revoked or self.deleted_at or self.has_expired)
