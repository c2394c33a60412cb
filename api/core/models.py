"""What models of every app have in common."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.encryption import EncryptedTextField
from core.soft_deletion import mark_deleted

LIVE = Q(deleted_at__isnull=True)


class SoftDeletableQuerySet(models.QuerySet):
    """Deletes by marking: the rows stay, for history and for keys that point at them."""

    def delete(self) -> tuple[int, dict[str, int]]:
        return mark_deleted(self)

    def undeleted(self) -> Self:
        return self.filter(LIVE)


class SoftDeletableManager(models.Manager.from_queryset(SoftDeletableQuerySet)):  # type: ignore[misc]
    """Shows what isn't deleted."""

    def get_queryset(self) -> SoftDeletableQuerySet:
        return super().get_queryset().filter(LIVE)  # type: ignore[no-any-return]


class SoftDeletableModel(models.Model):
    """A row that is gone for the product once `deleted_at` is set.

    `objects` sees what is left, `all_objects` everything. Deleting one marks, in the same
    transaction, every soft-deletable row that a real deletion would have cascaded to.
    """

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SoftDeletableManager()
    all_objects = models.Manager.from_queryset(SoftDeletableQuerySet)()

    class Meta:
        abstract = True

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        deleted = mark_deleted(type(self)._base_manager.filter(pk=self.pk))
        self.deleted_at = timezone.now()
        return deleted


class ThrottleCounter(models.Model):
    """When something was done that has a limit. The table isn't logged: a crash may forget who tried."""

    key = models.CharField(max_length=64, primary_key=True)
    hits = ArrayField(models.DateTimeField())
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class KeptAnswer(models.Model):
    """What the first request with an `Idempotency-Key` was answered. See `core.idempotency`.

    Only digests of key and request are kept. The answer may have a secret that is shown once.
    """

    id = models.CharField(max_length=64, primary_key=True)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    content = EncryptedTextField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.id
