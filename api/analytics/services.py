"""Counting evaluations. One statement a request, whatever it carries, and concurrent ones add up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from analytics.models import BUCKET_MINUTES

# A feature is found whatever the letter case: the JavaScript SDK counts under names in lower case.
# Sorted, so that two requests lock the buckets they share in the same order.
_RECORD = """
WITH given AS (
    SELECT feature.name AS feature_name, given.identifier, given.enabled, sum(given.count) AS count
    FROM unnest(%(names)s::text[], %(identifiers)s::text[], %(enabled)s::boolean[], %(counts)s::bigint[])
        AS given (name, identifier, enabled, count)
    JOIN features_feature AS feature
        ON feature.project_id = %(project_id)s
        AND text_digest(lower(feature.name)) = text_digest(lower(given.name))
        AND feature.deleted_at IS NULL
    GROUP BY feature.name, given.identifier, given.enabled
), by_identity AS (
    INSERT INTO analytics_identityevaluationbucket AS bucket
        (environment_id, feature_name, identity_identifier, enabled_when_evaluated, started_at, total_count)
    SELECT %(environment_id)s, feature_name, identifier, enabled, %(started_at)s, count
    FROM given WHERE enabled IS NOT NULL
    ORDER BY feature_name, identifier, enabled
    ON CONFLICT (
        environment_id, text_digest(feature_name), text_digest(identity_identifier), enabled_when_evaluated,
        started_at
    ) DO UPDATE SET total_count = bucket.total_count + excluded.total_count
)
INSERT INTO analytics_featureevaluationbucket AS bucket
    (environment_id, feature_name, started_at, total_count)
SELECT %(environment_id)s, feature_name, %(started_at)s, sum(count) FROM given
GROUP BY feature_name
ORDER BY feature_name
ON CONFLICT (environment_id, text_digest(feature_name), started_at)
DO UPDATE SET total_count = bucket.total_count + excluded.total_count
"""


@dataclass(frozen=True)
class Evaluation:
    """`count` evaluations of one feature, for an identity or, with an empty identifier, for nobody."""

    feature_name: str
    identity_identifier: str
    enabled: bool
    count: int


def bucket_start(instant: datetime) -> datetime:
    """Return when the bucket that `instant` falls into began: 10:44:59 falls into 10:30:00."""
    past = timedelta(
        minutes=instant.minute % BUCKET_MINUTES, seconds=instant.second, microseconds=instant.microsecond
    )
    return instant - past


def record_evaluations(*, environment_id: int, project_id: int, counts: Mapping[str, int]) -> None:
    """Add `{feature name: count}` to the current buckets. Names that the project doesn't have are dropped."""
    _record(environment_id, project_id, [(name, None, None, count) for name, count in counts.items()])


def record_identity_evaluations(
    *, environment_id: int, project_id: int, evaluations: Iterable[Evaluation]
) -> None:
    """Add evaluations to the features' current buckets and to those of the identities."""
    _record(
        environment_id,
        project_id,
        [(each.feature_name, each.identity_identifier, each.enabled, each.count) for each in evaluations],
    )


def _record(
    environment_id: int, project_id: int, rows: list[tuple[str, str | None, bool | None, int]]
) -> None:
    if not rows:
        return
    names, identifiers, enabled, counts = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            {
                "environment_id": environment_id,
                "project_id": project_id,
                "started_at": bucket_start(timezone.now()),
                "names": names,
                "identifiers": identifiers,
                "enabled": enabled,
                "counts": counts,
            },
        )
