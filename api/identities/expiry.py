"""Identities that nobody asks for any more, and deleting them.

Off unless IDENTITY_TTL_DAYS says after how many days. Who has an override stays: somebody meant that one.
Nothing of it publishes, since identities without overrides show in no environment document, and the
history doesn't note it: it would keep the very names that are to go.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from core.causes import caused_by
from environments.models import Environment
from identities.models import Identity

BATCH = 500


def expired_identities(days: int, environment: Environment | None = None) -> QuerySet[Identity]:
    """Return the identities without overrides that no SDK asked for in the last `days` days."""
    last_day = (timezone.now() - timedelta(days=days)).date()
    identities: QuerySet[Identity] = Identity.objects.filter(last_seen__lt=last_day)
    if environment is not None:
        identities = identities.filter(environment=environment)
    return _without_overrides(identities)


def delete_expired_identities(days: int, environment: Environment | None = None) -> Iterator[int]:
    """Delete the expired identities in small transactions, and yield how many after each.

    One that is asked for, or is given an override, meanwhile stays.
    """
    after = 0
    while True:
        with transaction.atomic(), caused_by(lambda: None):
            # By the primary key, so that each batch goes on where the last one ended.
            candidates = expired_identities(days, environment).filter(pk__gt=after).order_by("pk")
            locked = candidates.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)
            ids = list(locked[:BATCH])
            if not ids:
                return
            # Again: what was committed since the look above isn't in what that saw. From now on none comes.
            _without_overrides(Identity.objects.filter(pk__in=ids)).delete()
        after = ids[-1]
        yield len(ids)


def _without_overrides(identities: QuerySet[Identity]) -> QuerySet[Identity]:
    overridden = Identity.objects.filter(
        pk=OuterRef("pk"), feature_states__deleted_at__isnull=True, feature_states__isnull=False
    )
    return identities.filter(~Exists(overridden))
