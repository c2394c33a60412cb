"""Identities: who or what flags are read for, with the traits known of each."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Value

from core.digests import Digest
from core.history import remembers_what_people_do
from environments.models import Environment


class IdentityQuerySet(models.QuerySet):
    def with_identifier(self, identifier: str) -> Self:
        """Narrow to `identifier`, by the index that a plain comparison would not use."""
        return self.alias(identifier_digest=Digest("identifier")).filter(
            identifier_digest=Digest(Value(identifier)), identifier=identifier
        )


class Identity(models.Model):
    """Someone or something in one environment, with its traits: `{"plan": "pro", "age": 30}`.

    Traits stand in the row itself, so that an identity with all of them is one look-up and one
    upsert. See `identities.traits` for how values that JSONB can't keep apart are stored.
    """

    id = models.BigAutoField(primary_key=True)
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="identities", db_index=False
    )
    identifier = models.CharField(max_length=2000)
    created_date = models.DateTimeField(auto_now_add=True)
    traits = models.JSONField(default=dict, blank=True)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(
                F("environment"),
                Digest("identifier"),
                name="identity_once",
                violation_error_message="Identity with this identifier already exists in this environment",
            )
        ]
        indexes = [models.Index(fields=["environment", "created_date", "id"], name="identity_in_order")]
        triggers = [
            # By row and only for these columns: trait writes, by far the most frequent, cost nothing. A
            # new identity has no override yet, and a deleted one's overrides publish by themselves.
            pgtrigger.Trigger(
                name="publish_rename",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("identifier", "environment_id"),
                condition=pgtrigger.Q(old__identifier__df=pgtrigger.F("new__identifier"))
                | pgtrigger.Q(old__environment__df=pgtrigger.F("new__environment")),
                func="""
                INSERT INTO environments_touch (xid, project_id, environment_id)
                VALUES (pg_current_xact_id(), 0, OLD.environment_id),
                       (pg_current_xact_id(), 0, NEW.environment_id)
                ON CONFLICT DO NOTHING;
                RETURN NULL;
                """,
            ),
            *remembers_what_people_do(
                name="changed.identifier",
                environment="changed.environment_id",
                column="identifier",
                ignored=["traits"],
            ),
        ]

    def __str__(self) -> str:
        return self.identifier


class TraitKey(models.Model):
    """A trait that identities of an environment have had. Its id is the one that the management API shows."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="trait_keys", db_index=False
    )
    key = models.CharField(max_length=200)
    created_date = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["environment", "key"], name="trait_key_once")]

    def __str__(self) -> str:
        return self.key
