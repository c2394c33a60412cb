"""Revisions: the number of each environment that rises, at commit, with every change an SDK could see.

In tables of their own. On Environment, a save of all columns would put an old revision back, and a
hot row would bloat a wide table. Nothing but the trigger below writes them.
"""

import pgtrigger
from django.db import models

from core.transactions import TransactionIdField

# What listeners subscribe to; the payload is `environment:revision:nonce`.
REVISION_CHANNEL = "environment_revisions"
# What the session that commits is told, followed by `environment=revision` for each that was raised.
PUBLISHED = "published revisions:"

_RAISE = f"""
WITH drained AS (
    DELETE FROM environments_touch WHERE xid = pg_current_xact_id() RETURNING project_id, environment_id
)
SELECT array_agg(DISTINCT project_id) FILTER (WHERE project_id <> 0),
       array_agg(DISTINCT project_id) FILTER (WHERE environment_id = 0),
       array_agg(DISTINCT environment_id) FILTER (WHERE environment_id <> 0)
INTO projects, whole_projects, environments
FROM drained;

-- The first firing of a transaction drains for all of them.
IF projects IS NULL AND environments IS NULL THEN
    RETURN NULL;
END IF;

-- Updated, not only locked: a REPEATABLE READ writer then fails where it would have missed an environment.
INSERT INTO environments_projectrevision AS known (project_id, revision)
SELECT project_id, 1 FROM unnest(projects) AS project_id ORDER BY project_id
ON CONFLICT (project_id) DO UPDATE SET revision = known.revision + 1;

INSERT INTO environments_environmentrevision (environment_id, project_id, revision, nonce, updated_at, gone)
SELECT id, project_id, 0, gen_random_uuid(), created_date, false FROM environments_environment
WHERE project_id = ANY(whole_projects) OR id = ANY(environments)
ORDER BY id
ON CONFLICT DO NOTHING;

-- Always in the order of ids, after every content row: that is what keeps this free of deadlocks.
PERFORM FROM environments_environmentrevision
WHERE (project_id = ANY(whole_projects) AND NOT gone) OR environment_id = ANY(environments)
ORDER BY environment_id FOR NO KEY UPDATE;

FOR raised IN
    UPDATE environments_environmentrevision AS known
    SET revision = known.revision + 1,
        nonce = gen_random_uuid(),
        updated_at = greatest(clock_timestamp(), known.updated_at + interval '1 microsecond'),
        previous_updated_at = CASE WHEN known.revision > 0 THEN known.updated_at END,
        gone = NOT EXISTS (
            SELECT FROM environments_environment AS environment
            WHERE environment.id = known.environment_id AND environment.deleted_at IS NULL
        )
    WHERE (project_id = ANY(whole_projects) AND NOT gone) OR environment_id = ANY(environments)
    RETURNING known.environment_id, known.revision, known.nonce, known.updated_at
LOOP
    INSERT INTO environments_publishedrevision (xid, transaction_at, environment_id, revision, nonce, at)
    VALUES (
        pg_current_xact_id(), now(), raised.environment_id, raised.revision, raised.nonce, raised.updated_at
    );
    PERFORM pg_notify(
        '{REVISION_CHANNEL}', raised.environment_id || ':' || raised.revision || ':' || raised.nonce
    );
    published := published || ' ' || raised.environment_id || '=' || raised.revision;
END LOOP;
-- The one level that no setting keeps from the client.
RAISE INFO '{PUBLISHED}%', published;
RETURN NULL;
"""  # noqa: S608


class EnvironmentRevision(models.Model):
    """How often an environment has changed. A deleted one keeps its row, so that readers hear of it.

    (environment, revision, nonce) names one content: after a restore, a number may be issued again.
    `updated_at` only grows; it is the document's `updated_at`, its Last-Modified and its header.
    `previous_updated_at` is that of the revision before: HTTP dates can't tell two within one second apart.
    """

    environment_id = models.IntegerField(primary_key=True)
    project_id = models.IntegerField(db_index=True)
    revision = models.BigIntegerField()
    nonce = models.UUIDField()
    updated_at = models.DateTimeField()
    previous_updated_at = models.DateTimeField(null=True)
    gone = models.BooleanField()

    def __str__(self) -> str:
        return f"{self.environment_id} at {self.revision}"


class ProjectRevision(models.Model):
    """Orders project-wide changes against environments that come into being meanwhile."""

    project_id = models.IntegerField(primary_key=True)
    revision = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.project_id} at {self.revision}"


class PublishedRevision(models.Model):
    """Which transaction made which revision of which environment: so a change can say what it became.

    A transaction is named by its number and its beginning; after a restore, numbers begin again.
    """

    id = models.BigAutoField(primary_key=True)
    xid = TransactionIdField()
    transaction_at = models.DateTimeField()
    environment_id = models.IntegerField()
    revision = models.BigIntegerField()
    nonce = models.UUIDField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["xid"], name="revisions_by_transaction"),
            models.Index(fields=["environment_id", "-revision"], name="revisions_of_environment"),
        ]

    def __str__(self) -> str:
        return f"{self.environment_id} at {self.revision}"


class Touch(models.Model):
    """What a running transaction has changed. Empty outside of transactions.

    A row with only a project stands for all its environments; 0 stands for none, because rows with
    NULL would not be found to be equal.
    """

    pk = models.CompositePrimaryKey("xid", "project_id", "environment_id")
    xid = TransactionIdField()
    project_id = models.IntegerField(default=0)
    environment_id = models.IntegerField(default=0)

    class Meta:
        triggers = [
            pgtrigger.Trigger(
                name="raise_revisions",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[
                    ("projects", "integer[]"),
                    ("whole_projects", "integer[]"),
                    ("environments", "integer[]"),
                    ("raised", "record"),
                    ("published", "text := ''"),
                ],
                func=_RAISE,
            )
        ]

    def __str__(self) -> str:
        return f"{self.project_id}/{self.environment_id}"
