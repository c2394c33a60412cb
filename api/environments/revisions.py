"""Which revisions the work of this thread has raised, and how answers name them.

Revisions are raised while a transaction commits, so inside it nobody can know them yet, and to look them up
afterwards would need a guess at what was touched, and find what others have raised since. The trigger that
raises them tells instead, in a message that PostgreSQL sends along with the answer to COMMIT.
"""

import re

from django.db import connection

from environments.models.revisions import PUBLISHED, EnvironmentRevision

# What answers are of, the SDKs' and the people's alike; and what an SDK's answer shall be of at least.
REVISION_HEADER = "X-Burgee-Revision"
MIN_REVISION_HEADER = "X-Burgee-Min-Revision"

_RAISED = re.compile(r"(\d+)=(\d+)", re.ASCII)


def forget_published() -> None:
    """From now on, count anew."""
    if connection.connection is not None:
        connection.connection.notices.clear()


def published_revisions() -> dict[int, int]:
    """Return the revisions that were raised since, by environment."""
    if connection.connection is None:
        return {}
    told = "".join(notice for notice in connection.connection.notices if PUBLISHED in notice)
    return {int(environment_id): int(number) for environment_id, number in _RAISED.findall(told)}


def current_revision_of(environment_id: int) -> int:
    """Return an environment's revision, or a later one; 0: nothing of it has been published. One query."""
    found: int | None = (
        EnvironmentRevision.objects.filter(environment_id=environment_id)
        .values_list("revision", flat=True)
        .first()
    )
    return found or 0


def as_header(revisions: dict[int, int]) -> str:
    """Return what a client sends as `X-Burgee-Min-Revision` to read what it wrote.

    That is `17` where one environment has changed, and `3=17, 4=9` where several have: each has a number of
    its own, and the SDK endpoints look for the one of theirs.
    """
    if len(revisions) == 1:
        return str(*revisions.values())
    return ", ".join(f"{environment_id}={revisions[environment_id]}" for environment_id in sorted(revisions))
