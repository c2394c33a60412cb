"""What has been counted, by day or hour. Both are those of UTC."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, Func, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncDate, TruncHour

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
    steps = _steps(hourly=hourly)
    counted = _requests(environment_ids, since).filter(**labels).annotate(**steps)
    return list(counted.values(*steps, *LABELS).annotate(**_BY_RESOURCE).order_by(*steps, *LABELS))


def requests_of_days(environment_ids: Iterable[int], *, since: datetime) -> list[dict[str, Any]]:
    """Return a row for each day, whoever asked: `{"day": ..., "flags": 120, ...}`."""
    days = _requests(environment_ids, since).annotate(day=_DAY).values("day")
    return [dict(row) for row in days.annotate(**_BY_RESOURCE).order_by("day")]


def number_of_requests(environment_ids: Iterable[int], *, since: datetime) -> int:
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
    counted = RequestBucket.objects.filter(environment_id=environment_id).exclude(resource=Resource.TRAITS)
    told: list[tuple[datetime, str]] = [
        *known.values_list("evaluated_at", "sdk_label"),
        *counted.order_by("started_at", "-user_agent").values_list("started_at", "user_agent")[:1],
    ]
    if not told:
        return None, None
    evaluated_at, agent = min(told)
    return evaluated_at, agent.partition("/")[0] or UNKNOWN_SDK
