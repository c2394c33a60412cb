"""What has been counted, read from InfluxDB, in the shapes of `analytics.selectors`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from analytics.influxdb.points import CLIENT_TAGS, EVALUATIONS, FIELD, REQUESTS, writable
from analytics.influxdb.server import NoSuchBucketError, ask, literal
from analytics.models import BUCKET_MINUTES, Resource

# As Flagsmith's installations sum up what they have counted.
_QUARTERS, _HOURS = "_downsampled_15m", "_downsampled_1h"
_MOST_DAYS_OF_QUARTERS = 10

_LABELS = dict(zip(("user_agent", "application_name", "application_version"), CLIENT_TAGS, strict=True))
_NAMES = {str(resource.label): resource.name.lower() for resource in Resource}

Row = dict[str, str]


def requests_by_step(
    environment_ids: Iterable[int], *, since: datetime, labels: Mapping[str, str], hourly: bool
) -> list[dict[str, Any]]:
    tags = {_LABELS[name]: value for name, value in labels.items()}
    rows = _requests(environment_ids, since, tags, unit="1h" if hourly else "1d", by=CLIENT_TAGS)
    steps: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(_NAMES.values(), 0))
    for row in rows:
        if (name := _NAMES.get(row["resource"])) is not None:
            told = tuple(row.get(tag) or "" for tag in CLIENT_TAGS)
            steps[_time(row), *told][name] += int(row["_value"])
    return [
        {**_step(begun, hourly=hourly), **counts, **dict(zip(_LABELS, told, strict=True))}
        for (begun, *told), counts in sorted(steps.items())
    ]


def requests_of_days(environment_ids: Iterable[int], *, since: datetime) -> list[dict[str, Any]]:
    days: dict[date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_NAMES.values(), 0))
    for row in _requests(environment_ids, since, {}, unit="1d"):
        if (name := _NAMES.get(row["resource"])) is not None:
            days[_time(row).date()][name] += int(row["_value"])
    return [{"day": day, **counts} for day, counts in sorted(days.items())]


def number_of_requests(environment_ids: Iterable[int], *, since: datetime) -> int:
    rows = _requests(environment_ids, since, {}, unit="1d")
    return sum(int(row["_value"]) for row in rows)


def evaluations_by_step(
    feature_name: str, environment_id: int, *, since: datetime, hourly: bool
) -> list[dict[str, Any]]:
    rows = _evaluations(feature_name, environment_id, since, unit="1h" if hourly else "1d")
    return [{**_step(begun, hourly=hourly), "count": count} for begun, count in rows]


def evaluations_of_quarters(
    feature_name: str, environment_id: int, *, since: datetime
) -> list[tuple[datetime, int]]:
    """Return when each quarter of an hour began in which a feature was evaluated, and how often it was."""
    return _evaluations(feature_name, environment_id, since, unit=f"{BUCKET_MINUTES}m")


def first_request(environment_id: int) -> tuple[datetime, str] | None:
    """Return when an SDK first asked for flags of an environment, as far back as is kept, and which one."""
    since = timezone.now() - timedelta(days=settings.BUCKETED_ANALYTICS_DATA_RETENTION_DAYS)
    tags = {"environment_id": str(environment_id)}
    rest = (
        f"|> filter(fn: (r) => r.resource != {literal(Resource.TRAITS.label)}) "
        '|> group() |> sort(columns: ["_time"]) |> limit(n: 1)'
    )
    for row in _ask(since, f"{_counted(REQUESTS, since, [tags])} {rest}"):
        return _time(row), row.get("user_agent") or ""
    return None


def _requests(
    environment_ids: Iterable[int],
    since: datetime,
    tags: Mapping[str, str],
    *,
    unit: str,
    by: Iterable[str] = (),
) -> list[Row]:
    alternatives = [{"environment_id": str(each), **tags} for each in environment_ids]
    return _sums(REQUESTS, since, alternatives, unit, ("resource", *by)) if alternatives else []


def _evaluations(
    feature_name: str, environment_id: int, since: datetime, *, unit: str
) -> list[tuple[datetime, int]]:
    tags = {"feature_id": writable(feature_name), "environment_id": str(environment_id)}
    rows = _sums(EVALUATIONS, since, [tags], unit, ())
    return sorted((_time(row), int(row["_value"])) for row in rows)


def _sums(
    measurement: str, since: datetime, alternatives: list[dict[str, str]], unit: str, by: Iterable[str]
) -> list[Row]:
    columns = ", ".join(f'"{name}"' for name in ("_time", *by))
    return _ask(
        since,
        f"{_counted(measurement, since, alternatives)} |> truncateTimeColumn(unit: {unit}) "
        f"|> group(columns: [{columns}]) |> sum() |> group()",
    )


def _counted(measurement: str, since: datetime, alternatives: list[dict[str, str]]) -> str:
    """Return the beginning of a pipeline: the points that have all tags of one of the alternatives."""
    chosen = " or ".join(
        "(" + " and ".join(f"r.{name} == {literal(value)}" for name, value in tags.items()) + ")"
        for tags in alternatives
    )
    return (
        f"|> range(start: {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}) "
        f'|> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{FIELD}") '
        f"|> filter(fn: (r) => {chosen})"
    )


def _ask(since: datetime, pipeline: str) -> list[Row]:
    """Ask for what was summed up; where nothing is, for all that was counted."""
    is_long_ago = since < timezone.now() - timedelta(days=_MOST_DAYS_OF_QUARTERS)
    bucket = settings.INFLUXDB_BUCKET
    try:
        return ask(bucket + (_HOURS if is_long_ago else _QUARTERS), pipeline)
    except NoSuchBucketError:
        return ask(bucket, pipeline)


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["_time"])


def _step(begun: datetime, *, hourly: bool) -> dict[str, Any]:
    return {"day": begun.date(), "hour": begun} if hourly else {"day": begun.date()}
