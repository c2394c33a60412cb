"""Adding counts to their buckets: one statement for many, and concurrent ones add up.

Rows are written in the order of their keys, so that two processes lock what they share in the same order.
No statement here sends a notification: those would serialise the commits of everyone.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from analytics.models import BUCKET_MINUTES, FirstEvaluation
from analytics.tallies import EvaluationKey, RequestKey

# What was begun so long ago has been written, or never will be.
KEPT_WRITERS_DAYS = 7


class Batch(NamedTuple):
    """Which of a process's batches this is; numbers grow."""

    writer: UUID
    number: int


class Statement(NamedTuple):
    sql: str
    parameters: Sequence[Any]


_ONCE = """
    INSERT INTO analytics_countswriter AS known (id, batch) VALUES (%s, %s)
    ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, written_at = now()
    WHERE known.batch < excluded.batch
    RETURNING id
"""
_ANYWAY = "SELECT 1"

_REQUESTS = """
WITH news AS ({news})
INSERT INTO analytics_requestbucket AS bucket
    (environment_id, started_at, resource, user_agent, application_name, application_version, total_count)
SELECT
    environment_id, to_timestamp(quarter * {seconds}), resource,
    split_part(client, E'\\t', 1), split_part(client, E'\\t', 2), split_part(client, E'\\t', 3), count
FROM news, unnest(%s::integer[], %s::bigint[], %s::smallint[], %s::text[], %s::bigint[])
    AS given (environment_id, quarter, resource, client, count)
ORDER BY 1, 2, 3, 4, 5, 6
ON CONFLICT (environment_id, started_at, resource, user_agent, application_name, application_version)
DO UPDATE SET total_count = bucket.total_count + excluded.total_count
"""

_EVALUATIONS = """
WITH news AS ({news}),
given AS (
    SELECT environment_id, to_timestamp(quarter * {seconds}) AS started_at, name, identifier, enabled, count
    FROM news, unnest(
        %s::integer[], %s::bigint[], %s::text[], %s::text[], %s::boolean[], %s::bigint[]
    ) AS given (environment_id, quarter, name, identifier, enabled, count)
), by_identity AS (
    INSERT INTO analytics_identityevaluationbucket AS bucket
        (environment_id, feature_name, identity_identifier, enabled_when_evaluated, started_at, total_count)
    SELECT environment_id, name, identifier, enabled, started_at, count
    FROM given WHERE enabled IS NOT NULL
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (
        environment_id, text_digest(feature_name), text_digest(identity_identifier), enabled_when_evaluated,
        started_at
    ) DO UPDATE SET total_count = bucket.total_count + excluded.total_count
)
INSERT INTO analytics_featureevaluationbucket AS bucket
    (environment_id, feature_name, started_at, total_count)
SELECT environment_id, name, started_at, sum(count) FROM given
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (environment_id, text_digest(feature_name), started_at)
DO UPDATE SET total_count = bucket.total_count + excluded.total_count
"""


def add_requests(counts: Sequence[tuple[RequestKey, int]], batch: Batch | None = None) -> Statement:
    """Return the statement that adds requests to their buckets.

    Args:
        batch: with one, the statement changes nothing if this or a later batch has been written.
    """
    return _statement(_REQUESTS, counts, batch)


def add_evaluations(counts: Sequence[tuple[EvaluationKey, int]], batch: Batch | None = None) -> Statement:
    """Return the statement that adds evaluations to the buckets of features, and to those of identities."""
    return _statement(_EVALUATIONS, counts, batch)


def forget_old_writers() -> Statement:
    """Return the statement that deletes what processes of long ago have left."""
    return Statement(
        "DELETE FROM analytics_countswriter WHERE written_at < now() - make_interval(days => %s)",
        [KEPT_WRITERS_DAYS],
    )


def _statement(sql: str, counts: Sequence[tuple[Any, int]], batch: Batch | None) -> Statement:
    news, known = (_ANYWAY, []) if batch is None else (_ONCE, [str(batch.writer), batch.number])
    columns = zip(*((*key, count) for key, count in counts), strict=True)
    return Statement(
        sql.format(news=news, seconds=BUCKET_MINUTES * 60), [*known, *(list(column) for column in columns)]
    )


def note_first_evaluation(environment_id: int, *, sdk_label: str) -> None:
    """Remember that an environment was evaluated somewhere else, unless that is known."""
    FirstEvaluation.objects.bulk_create(
        [FirstEvaluation(environment_id=environment_id, sdk_label=sdk_label)], ignore_conflicts=True
    )
