"""Counts that are old enough to go."""

from datetime import timedelta

from django.conf import settings
from django.db import connection

from analytics.models import FeatureEvaluationBucket, IdentityEvaluationBucket, RequestBucket
from analytics.services import delete_old_buckets, forget_old_writers
from tasks.registry import recurring


@recurring(every=timedelta(days=1))
def delete_old_counts() -> None:
    """Delete what was counted longer ago than the server keeps."""
    age = timedelta(days=settings.BUCKETED_ANALYTICS_DATA_RETENTION_DAYS)
    for model in (RequestBucket, FeatureEvaluationBucket, IdentityEvaluationBucket):
        delete_old_buckets(model, age)
    with connection.cursor() as cursor:
        cursor.execute(*forget_old_writers())
