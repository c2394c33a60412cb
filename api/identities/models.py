"""Identities: who or what flags are read for, with the traits known of each."""

from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Value

from core.days import UtcToday
from core.digests import Digest
from core.history import remembers_what_people_do
from environments.models import Environment
from identities.writes import noted_writes


class IdentityQuerySet(models.QuerySet):
    def with_identifier(self, identifier: str) -> Self:
        """Narrow to `identifier`, by the index that a plain comparison would not use."""
        return self.alias(identifier_digest=Digest("identifier")).filter(
            identifier_digest=Digest(Value(identifier)), identifier=identifier
        )

    def containing(self, text: str) -> Self:
        """Narrow to identifiers that contain `text`, whatever the case, in the order of their creation.

        That reads all identifiers, unless there is the index that `manage.py indexidentifiers` makes.
        """
        return self.filter(identifier__icontains=text).order_by("created_date", "pk")

    def delete(self) -> tuple[int, dict[str, int]]:
        deleted = super().delete()
        noted_writes.note_all_at_commit()
        return deleted

    # As the method has them that it stands for: templates don't call it, managers don't have it.
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


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
    # Never in an index: it changes daily, and a write that touches no index stays in its page.
    last_seen = models.DateField(
        db_default=UtcToday(), editable=False, help_text="The last day, in UTC, on which an SDK asked for it."
    )

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
                ignored=["traits", "last_seen"],
            ),
            pgtrigger.Trigger(
                # New ones: see `identities.counting`.
                name="count_move",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("environment_id"),
                func="""
                INSERT INTO identities_identitycountchange (environment_id, change)
                VALUES (OLD.environment_id, -1), (NEW.environment_id, 1);
                RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="count_delete",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                referencing=pgtrigger.Referencing(old="old_rows"),
                func="""
                INSERT INTO identities_identitycountchange (environment_id, change)
                SELECT environment_id, -count(*) FROM old_rows GROUP BY environment_id;
                RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="count_truncate",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Truncate,
                func="DELETE FROM identities_identitycountchange; RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier

    def delete(self, *arguments: Any, **options: Any) -> tuple[int, dict[str, int]]:
        whom = self.environment_id, self.identifier
        deleted = super().delete(*arguments, **options)
        noted_writes.note_at_commit([whom])
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]


class IdentityCountChange(models.Model):
    """By how many an environment's identities became more or fewer; the sum is how many there are.

    Written by triggers, in the transaction that makes or deletes them, so the sum is right in every
    transaction. A line for each change and not one to add to, since nobody ever waits for a line: an
    application's requests make identities, many at once. Those who read the sum fold them.
    """

    id = models.BigAutoField(primary_key=True)
    environment_id = models.PositiveIntegerField(db_index=True)
    change = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.change:+} in {self.environment_id}"


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
