"""What has been counted, by day or hour. Both are those of UTC.

Read from where it is kept: requests and evaluations from InfluxDB where the settings name one; all that is
told of identities from PostgreSQL.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, Func, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncDate, TruncHour

from analytics.influxdb import figures
from analytics.models import (
    FeatureEvaluationBucket,
    FirstEvaluation,
    IdentityEvaluationBucket,
    RequestBucket,
    Resource,
)
from core.digests import Digest

_DAY = TruncDate("started_at", tzinfo=UTC)
_HOUR = TruncHour("started_at", tzinfo=UTC)
_BY_RESOURCE = {
    resource.name.lower(): Sum("total_count", filter=Q(resource=resource), default=0) for resource in Resource
}
UNKNOWN_SDK = "unknown"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
LABELS = ("user_agent", "application_name", "application_version")


def requests_by_step(
    environment_ids: Iterable[int], *, since: datetime, labels: Mapping[str, str], hourly: bool = False
) -> list[dict[str, Any]]:
    """Return a row for each day and client: `{"day": ..., "flags": 120, ..., "user_agent": "..."}`.

    Args:
        labels: only the requests of clients that have these labels.
        hourly: a row for each hour instead, with `hour` besides.
    """
    if settings.COUNTS_ARE_IN_INFLUXDB:
        return figures.requests_by_step(environment_ids, since=since, labels=labels, hourly=hourly)
    steps = _steps(hourly=hourly)
    counted = _requests(environment_ids, since).filter(**labels).annotate(**steps)
    return list(counted.values(*steps, *LABELS).annotate(**_BY_RESOURCE).order_by(*steps, *LABELS))


def requests_of_days(environment_ids: Iterable[int], *, since: datetime) -> list[dict[str, Any]]:
    """Return a row for each day, whoever asked: `{"day": ..., "flags": 120, ...}`."""
    if settings.COUNTS_ARE_IN_INFLUXDB:
        return figures.requests_of_days(environment_ids, since=since)
    days = _requests(environment_ids, since).annotate(day=_DAY).values("day")
    return [dict(row) for row in days.annotate(**_BY_RESOURCE).order_by("day")]


def number_of_requests(environment_ids: Iterable[int], *, since: datetime) -> int:
    if settings.COUNTS_ARE_IN_INFLUXDB:
        return figures.number_of_requests(environment_ids, since=since)
    return int(_requests(environment_ids, since).aggregate(total=Sum("total_count", default=0))["total"])


def evaluations_by_step(
    feature_name: str,
    environment_id: int,
    *,
    since: datetime,
    of: Mapping[str, Any] | None = None,
    hourly: bool = False,
) -> list[dict[str, Any]]:
    """Return a row for each day on which a feature was evaluated: `{"day": ..., "count": 42}`.

    Args:
        of: only evaluations with this `identity_identifier` or `enabled_when_evaluated`, of those that
            were reported with both.
        hourly: a row for each hour instead, with `hour` besides.
    """
    if settings.COUNTS_ARE_IN_INFLUXDB and not of:
        return figures.evaluations_by_step(feature_name, environment_id, since=since, hourly=hourly)
    counted = _evaluations(feature_name, environment_id, since)
    if of:
        counted = _evaluations(feature_name, environment_id, since, IdentityEvaluationBucket).filter(**of)
    steps = _steps(hourly=hourly)
    rows = counted.annotate(**steps).values(*steps).annotate(count=Sum("total_count"))
    return [dict(row) for row in rows.order_by(*steps)]


def evaluations_in_steps_of(
    step: timedelta, feature_name: str, environment_id: int, *, since: datetime
) -> list[tuple[datetime, int]]:
    """Return when each step began in which a feature was evaluated, and how often it was. Steps are UTC's."""
    if settings.COUNTS_ARE_IN_INFLUXDB:
        counts: dict[datetime, int] = defaultdict(int)
        for moment, count in figures.evaluations_of_quarters(feature_name, environment_id, since=since):
            counts[_EPOCH + (moment - _EPOCH) // step * step] += count
        return sorted(counts.items())
    begun = Func(Value(step), "started_at", Value(_EPOCH), function="date_bin", output_field=DateTimeField())
    steps = _evaluations(feature_name, environment_id, since).annotate(begun=begun).values("begun")
    return list(steps.annotate(count=Sum("total_count")).order_by("begun").values_list("begun", "count"))


def _steps(*, hourly: bool) -> dict[str, Any]:
    return {"day": _DAY, "hour": _HOUR} if hourly else {"day": _DAY}


def _evaluations(
    feature_name: str,
    environment_id: int,
    since: datetime,
    model: type[FeatureEvaluationBucket | IdentityEvaluationBucket] = FeatureEvaluationBucket,
) -> QuerySet[Any]:
    return model._default_manager.alias(name_digest=Digest("feature_name")).filter(
        environment_id=environment_id, name_digest=Digest(Value(feature_name)), started_at__gte=since
    )


def _requests(environment_ids: Iterable[int], since: datetime) -> QuerySet[RequestBucket]:
    return RequestBucket.objects.filter(environment_id__in=environment_ids, started_at__gte=since)


def first_evaluation_in(environment_id: int) -> tuple[datetime | None, str | None]:
    """Return when an environment was first evaluated, and the name of the SDK or `unknown`; or two Nones.

    What this server was asked itself is known to the quarter of an hour.
    """
    known = FirstEvaluation.objects.filter(pk=environment_id)
    told: list[tuple[datetime, str]] = [
        *known.values_list("evaluated_at", "sdk_label"),
        *_first_requests(environment_id),
    ]
    if not told:
        return None, None
    evaluated_at, agent = min(told)
    return evaluated_at, agent.partition("/")[0] or UNKNOWN_SDK


def _first_requests(environment_id: int) -> list[tuple[datetime, str]]:
    if settings.COUNTS_ARE_IN_INFLUXDB:
        first = figures.first_request(environment_id)
        return [first] if first else []
    counted = RequestBucket.objects.filter(environment_id=environment_id).exclude(resource=Resource.TRAITS)
    return list(counted.order_by("started_at", "-user_agent").values_list("started_at", "user_agent")[:1])
