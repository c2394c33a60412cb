"""What the release before can't live with, and what keeps others waiting: rules for migrations.

While a new release is rolled out the one before goes on working on the new schema, and where a release is
taken back its schema stays. So a column or a table goes in two steps: a release stops using it, and a later
one drops it, whose migration says by `unused_since = "1.4.0"` which release stopped.
"""

import re
from collections.abc import Iterable, Iterator

from django.db.migrations import Migration

from core.migrating.plan import Step
from core.migrating.statements import MODES, SHARE, UNKNOWN, split

_DROPS = re.compile(r"\bDROP\s+(COLUMN|TABLE)\b", re.IGNORECASE)
_RENAMES = re.compile(r"^ALTER\s+TABLE\s.*\sRENAME\s+(TO|COLUMN)\b", re.IGNORECASE | re.DOTALL)
_WAITING = MODES[: MODES.index(SHARE) + 1]


def violations(steps: Iterable[Step], *, version: str) -> Iterator[str]:
    """Give what is wrong with a migration, each as a sentence.

    Args:
        steps: the operations of one migration.
        version: of the release that the migration is for.
    """
    for step in steps:
        if not step.operation.reversible:
            yield f"{step.operation.describe()}: it can't be taken back."
        statements = [each for sql in step.statements for each in split(sql)]
        if any(_RENAMES.match(each) for each in statements):
            yield f"{step.operation.describe()}: the release before looks for the old name."
        if any(_DROPS.search(each) for each in statements):
            yield from _untimely(step.migration, step.operation.describe(), version)
        for lock in step.locks:
            if lock.work and lock.mode in _WAITING:
                yield f"{step.operation.describe()}: {lock.work} of {lock.name} while others wait."
            elif lock.mode == UNKNOWN:
                yield f"{step.operation.describe()}: nobody knows what it locks."


def _untimely(migration: Migration, what: str, version: str) -> Iterator[str]:
    since = getattr(migration, "unused_since", None)
    if since is None:
        yield f"{what}: the release before may use it. Say by `unused_since` which release stopped using it."
    elif _numbers(since) >= _numbers(version):
        yield f"{what}: it may go in a release after {since}, which stopped using it."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version))
