"""Who is told of new records: apps that stand above this one, and that it therefore can't call by name.

A follower registers when its app is loaded, in `AppConfig.ready`. It is called in the transaction that makes
the records, so what it does happens with them or not at all: enqueue a job, and be quick.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from audit.models import AuditRecord

Follower: TypeAlias = Callable[[Sequence[AuditRecord]], None]

_followers: list[Follower] = []


def follow_records(follower: Follower) -> None:
    """Have a function called with all records from now on, as they are made."""
    if follower not in _followers:
        _followers.append(follower)


def tell_followers(records: Sequence[AuditRecord]) -> None:
    for follower in _followers:
        follower(records)
