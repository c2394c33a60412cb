"""Exports and imports of features: files in one format, made and read in the background."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.history import remembers
from environments.models import Environment
from organisations.models import MasterKey
from permissions.actors import Actor, Machine


class TransferStatus(models.TextChoices):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class ImportStrategy(models.TextChoices):
    """What becomes of features whose names the project has already, ignoring case."""

    SKIP = "SKIP", "They stay as they are"
    OVERWRITE_DESTRUCTIVE = "OVERWRITE_DESTRUCTIVE", "They are deleted, and made anew from the file"


class Transfer(models.Model):
    """Work on a file in the name of whoever asked for it.

    `data` is the file: of an export once it is done, of an import until it is.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(
        max_length=10, choices=TransferStatus, default=TransferStatus.PROCESSING, editable=False
    )
    data = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    master_key = models.ForeignKey(
        MasterKey, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]

    @property
    def author(self) -> Actor:
        """Whoever asked for it; None for who is gone since."""
        if key := self.master_key:
            return Machine(key.pk, key.name, key.organisation_id, key.is_admin)
        return self.user

    @author.setter
    def author(self, author: Actor) -> None:
        if isinstance(author, Machine):
            self.master_key_id = author.key_id
        else:
            self.user = author


class FeatureExport(Transfer):
    """The features of a project as they are in one environment, in a file."""

    name = models.CharField(max_length=2030, editable=False)
    tag_ids = ArrayField(models.IntegerField(), default=list, editable=False)

    class Meta(Transfer.Meta):
        triggers = remembers(environment="changed.environment_id", ignored=["data"])

    def __str__(self) -> str:
        return self.name


class FeatureImport(Transfer):
    """A file of features that a project is given, for one of its environments."""

    strategy = models.CharField(max_length=30, choices=ImportStrategy)

    class Meta(Transfer.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=Q(status=TransferStatus.PROCESSING),
                name="one_import_at_a_time",
                violation_error_message="Can't import features, since already processing a feature import.",
            )
        ]
        triggers = remembers(name="changed.strategy", environment="changed.environment_id", ignored=["data"])

    def __str__(self) -> str:
        return f"{self.strategy} {self.created_at:%Y-%m-%d %H:%M}"
