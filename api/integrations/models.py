"""What environments, projects and organisations are connected with, and what waits to be told to it."""

import json
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from core.encryption import EncryptedTextField
from core.history import remembers
from core.models import LIVE, SoftDeletableModel
from core.publishing import publishes
from environments.models import Environment
from integrations.kinds import KINDS, Kind
from organisations.models import Organisation
from permissions.catalogue import Level
from projects.models import Project

PLACES = [level.value for level in Level]
_PROJECT = """coalesce(
    changed.project_id, (SELECT project_id FROM environments_environment WHERE id = changed.environment_id)
)"""
_ORGANISATION = f"""coalesce(
    changed.organisation_id, (SELECT organisation_id FROM projects_project WHERE id = {_PROJECT})
)"""  # noqa: S608


class EncryptedJSONField(EncryptedTextField):
    """A JSON value that is encrypted in the database."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(json.dumps(value))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        text = super().from_db_value(value, expression, connection)
        return None if text is None else json.loads(text)


def _stands_in_one_place() -> Q:
    """Return the condition that exactly one of the three places is set."""
    condition = Q()
    for place in PLACES:
        condition |= Q(**{f"{each}__isnull": each != place for each in PLACES})
    return condition


class Integration(SoftDeletableModel):
    """A connection with one other service, of an environment, a project or an organisation.

    Attributes:
        kind: the name of one of `integrations.kinds.KINDS`, which says what its configuration consists of.
        settings: what of that anybody may see who sees the integration: `{"app_id": "17"}`.
        secrets: the rest of it, keys and addresses: `{"api_key": "…"}`.
        failures: how often in a row the service took nothing.
        paused_until: it isn't called before, because it took nothing.
        last_error: why, in words for people. Nothing of what the service said is kept.
    """

    kind = models.CharField(max_length=20)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, related_name="integrations"
    )
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="integrations")
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, related_name="integrations"
    )
    settings = models.JSONField(default=dict)
    secrets: Any = EncryptedJSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    failures = models.PositiveIntegerField(default=0, editable=False)
    paused_until = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=_stands_in_one_place(), name="integration_in_one_place"),
            *[
                models.UniqueConstraint(
                    fields=[place, "kind"],
                    condition=LIVE,
                    name=f"integration_once_per_{place}",
                    violation_error_message=f"This integration already exists for this {place}.",
                )
                for place in PLACES
            ],
        ]
        triggers = [
            # What an environment is connected with is cached beside its flags; how, is read for each call.
            *publishes(
                "SELECT 0 AS project_id, changed.environment_id FROM {changed} "
                "WHERE changed.environment_id IS NOT NULL",
                ["id", "kind", "environment_id", "settings", "secrets", "deleted_at"],
            ),
            *remembers(
                name="changed.kind",
                environment="changed.environment_id",
                project=_PROJECT,
                organisation=_ORGANISATION,
                secrets=["secrets"],
                ignored=["failures", "paused_until", "last_error"],
            ),
        ]

    def __str__(self) -> str:
        return self.about.title

    @property
    def about(self) -> Kind:
        return KINDS[self.kind]

    @property
    def configuration(self) -> dict[str, Any]:
        """Return all fields of its kind, with what they are where nobody has said."""
        return {**self.about.absent, **self.settings, **self.secrets}


class Message(models.Model):
    """Something that a service is to be told. It goes when it was told, or never will be.

    Attributes:
        content: what is told, for the task that tells it: `{"record": 7}`, `{"identities": […]}`. Encrypted,
            for what is known of people may stand in it.
    """

    id = models.BigAutoField(primary_key=True)
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    content: Any = EncryptedJSONField()
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["integration", "id"], name="messages_to_integration")]

    def __str__(self) -> str:
        return f"{self.integration_id}: {self.pk}"
