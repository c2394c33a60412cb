"""Keys with which machines use the management API in an organisation's name."""

import uuid

from django.conf import settings
from django.db import models

from organisations.models.organisation import Organisation


class MasterKey(models.Model):
    """A secret `<prefix>.<32 characters>`, of which only a hash is kept: it is shown once, when made.

    `is_admin` keys act as an administrator of their organisation; others hold what their roles grant.
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

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
