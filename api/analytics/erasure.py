"""Erasing what was counted of one identity."""

from collections.abc import Collection

from django.db.models import Value

from analytics.models import IdentityEvaluationBucket
from core.digests import Digest


def erase_evaluations(identifier: str, environment_ids: Collection[int], *, dry_run: bool) -> int:
    """Delete how often features were evaluated for an identity; the features' own counts have it still.

    Returns:
        How many rows that were, or would be.
    """
    buckets = IdentityEvaluationBucket.objects.alias(digest=Digest("identity_identifier")).filter(
        environment_id__in=environment_ids, digest=Digest(Value(identifier)), identity_identifier=identifier
    )
    return buckets.count() if dry_run else buckets.delete()[0]
