"""Answers of `flags/` in the Django caches `environment-flags` and `flags`, where they are switched on.

Named by the environment's revision and by whom they are for, so that they are never old and never somebody
else's. A process that takes an environment up then needn't encode what another one has.
"""

from collections.abc import Callable

from core.kept_bytes import KeptBytes
from core.version import VERSION
from documents.rows import RevisionName

_kept = KeptBytes("environment-flags", "flags")


def kept_flags(name: RevisionName, *, to_server: bool, make: Callable[[], bytes]) -> bytes:
    """Return the answer at this revision, from a cache or made and then kept."""
    if not name.number:  # without a revision nothing says when it changes
        return make()
    reader = "server" if to_server else "client"
    return _kept.taken_or_made(f"flags:{VERSION}:{name}:{reader}", make)
