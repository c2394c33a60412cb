"""Forgetting what webhooks were told of somebody."""

import json
from collections.abc import Collection
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q

from webhooks.models import Delivery, Event


@transaction.atomic
def erase_identifier(
    identifier: str, identity_ids: Collection[int], environment_ids: Collection[int]
) -> None:
    """Delete the messages that name an identity, sent or not, with the log of their deliveries.

    A message is never changed: its receivers may have it, by its id.

    Args:
        identity_ids: those that have the identifier. Messages may know them by one that they had before.
    """
    quoted = json.dumps(identifier)
    # As the bodies have them: what is in quotation marks begins and ends there.
    texts = [
        f'"identity_identifier": {quoted}',
        f"identity '{quoted[1:-1]}'",
        *(f'"identity": {each}, "identity_identifier": ' for each in identity_ids),
    ]
    names_it = reduce(or_, (Q(body__contains=text) for text in texts))
    named = Event.objects.filter(names_it, environment__in=environment_ids)
    ids = list(named.values_list("pk", flat=True))
    Delivery.objects.filter(event__in=ids).delete()
    Event.objects.filter(pk__in=ids).delete()
