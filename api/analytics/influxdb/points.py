"""Counts as points: lines of InfluxDB's line protocol.

A point with the tags and the time of another one replaces it. So each batch has a moment of its own within
the quarter of an hour that it was counted in: what is written twice counts once, and what two processes
write counts twice.
"""

import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings

from analytics.models import Resource
from analytics.services import Batch
from analytics.tallies import BUCKET_SECONDS, EvaluationKey, RequestKey
from environments.models import Environment

REQUESTS, EVALUATIONS, FIELD = "api_call", "feature_evaluation", "request_count"
# What `analytics.tallies.Client` tells, by the names that Flagsmith's tags have.
CLIENT_TAGS = ("user_agent", "client_application_name", "client_application_version")

_NANOSECONDS = 10**9
_BUCKET_NANOSECONDS = BUCKET_SECONDS * _NANOSECONDS
# The protocol has no way to write a backslash before a separator, nor the end of a line.
_UNWRITABLE = re.compile(r"[\\\x00-\x1f\x7f\u2028\u2029]")
_SEPARATORS = re.compile(r"([,= ])")

Tags = Mapping[str, Any]


def of_requests(counts: Sequence[tuple[RequestKey, int]], batch: Batch) -> list[str]:
    """Return points with the names that are known of the environments."""
    known = _environments({key[0] for key, _ in counts})
    host = settings.FLAGSMITH_DOMAIN or socket.gethostname()
    return _lines(
        REQUESTS,
        batch,
        (
            (
                {
                    "resource": Resource(resource).label,
                    "environment_id": environment_id,
                    "host": host,
                    **known.get(environment_id, {}),
                    **dict(zip(CLIENT_TAGS, client.split("\t"), strict=True)),
                },
                bucket,
                count,
            )
            for (environment_id, bucket, resource, client), count in counts
        ),
    )


def of_evaluations(counts: Sequence[tuple[EvaluationKey, int]], batch: Batch) -> list[str]:
    """Return points of features. For whom these were evaluated isn't told: there are too many of them."""
    return _lines(
        EVALUATIONS,
        batch,
        (
            ({"feature_id": feature_name, "environment_id": environment_id}, bucket, count)
            for (environment_id, bucket, feature_name, *_), count in counts
        ),
    )


def writable(text: str) -> str:
    """Return a value as tags have it."""
    return _UNWRITABLE.sub("/", text)


def _lines(measurement: str, batch: Batch, points: Iterable[tuple[Tags, float, int]]) -> list[str]:
    """Return the line protocol of points, each with its tags, its bucket and its count."""
    sums: dict[tuple[str, float], int] = {}
    for tags, bucket, count in points:
        series = ",".join([measurement, *_written(tags)])
        sums[series, bucket] = sums.get((series, bucket), 0) + count
    return [f"{series} {FIELD}={count}i {_moment(bucket, batch)}" for (series, bucket), count in sums.items()]


def _written(tags: Tags) -> Iterator[str]:
    for name, value in sorted(tags.items()):
        if text := writable(str(value)):  # no tag is empty
            yield f"{name}=" + _SEPARATORS.sub(r"\\\1", text)


def _moment(bucket: float, batch: Batch) -> int:
    """Return a moment in nanoseconds since 1970 that is within the bucket, and this batch's alone."""
    own = hash((batch.writer.int, batch.number)) % _BUCKET_NANOSECONDS
    return int(bucket) * _BUCKET_NANOSECONDS + own


def _environments(ids: Iterable[int]) -> dict[int, Tags]:
    rows = Environment.all_objects.filter(pk__in=ids).values_list(
        "pk",
        "name",
        "project_id",
        "project__name",
        "project__organisation_id",
        "project__organisation__name",
    )
    names = ("environment", "project_id", "project", "organisation_id", "organisation")
    return {environment_id: dict(zip(names, known, strict=True)) for environment_id, *known in rows}
