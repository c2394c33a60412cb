"""Counts that are old enough to go, and room for those to come."""

from datetime import timedelta

from django.conf import settings
from django.db import connections

from analytics.models import FeatureEvaluationBucket, IdentityEvaluationBucket, RequestBucket
from analytics.partitions import drop_old_parts, make_parts
from analytics.services import forget_old_writers
from core.routing import counts_database
from tasks.registry import recurring


@recurring(every=timedelta(days=1))
def delete_old_counts() -> None:
    """Delete what was counted longer ago than the server keeps, and make room for the coming weeks."""
    sums = timedelta(days=settings.BUCKETED_ANALYTICS_DATA_RETENTION_DAYS)
    by_identity = min(sums, timedelta(days=settings.RAW_ANALYTICS_DATA_RETENTION_DAYS))
    for model, age in (
        (RequestBucket, sums),
        (FeatureEvaluationBucket, sums),
        (IdentityEvaluationBucket, by_identity),
    ):
        make_parts(model)
        drop_old_parts(model, age)
    with connections[counts_database()].cursor() as cursor:
        cursor.execute(*forget_old_writers())
