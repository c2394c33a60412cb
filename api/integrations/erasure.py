"""Erasing what other services were still to be told of an identity."""

from collections.abc import Collection

from integrations.kinds import IDENTITY_KINDS
from integrations.models import Message


def erase_messages(identifier: str, environment_ids: Collection[int], *, dry_run: bool) -> int:
    """Delete all that waits to be told of identities. Others are told of again when their flags are read.

    Returns:
        0: nothing that anybody has counted.
    """
    if not dry_run:
        of_identities = {"integration__kind__in": IDENTITY_KINDS}
        Message.objects.filter(integration__environment__in=environment_ids, **of_identities).delete()
    return 0
