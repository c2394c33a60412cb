"""Where contents come from: another worker of this host, another host, or the rows.

The primary always names which. Why what comes is never older than the call: the primary is asked for the
revision's name first, inside the transaction that would also read the rows, and a file or a cache entry is
taken only if it carries that very name, number and nonce. Why it is built once on a host: one process builds
an environment at a time and the others wait, then find the file. Why it is built about once on several: the
builder claims the name in the shared cache, and others look there for it a while before they build too.

The rows may come from a replica, if it has that very revision: its name is read in the transaction that reads
them, too. One that is behind is not asked twice; the primary is.

When the primary can't be asked, the last that is known is better than nothing: `last_known`. That is what
this host or the shared cache has, and else what a replica has by then.
"""

import logging
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connections

from core.moments import one_moment
from core.postgres import DatabaseUnavailable, cut_off_after
from core.routing import Replicas
from core.version import VERSION
from documents.rows import (
    EnvironmentRows,
    Fingerprints,
    Revision,
    RevisionName,
    current_revision,
    read_rows,
    read_rows_of,
)
from environments.models import Environment
from sdk.contents import Content, content_of
from sdk.lookup import find_environment
from sdk.overrides import IdentityOverrides
from sdk.packing import pack
from sdk.shared_cache import SharedCache
from sdk.snapshot_files import SnapshotFiles

T = TypeVar("T")

logger = logging.getLogger(__name__)

# A rebuild takes tens of milliseconds; a database that takes longer than this is as good as away.
_DATABASE_SECONDS = 10.0
# A replica spares the primary work; where it doesn't, the primary is quicker.
_REPLICA_SECONDS = 1.0
# Whoever has waited for one that is silent asks no other: the transaction on the primary waits, too.
_SILENT_SECONDS = 0.3
_OTHER_HOST_SECONDS = 0.3
_OTHER_HOST_RETRY_SECONDS = 0.01


@dataclass(slots=True)
class SourceCounts:
    """How often contents came from where, since the start; for metrics."""

    built: int = 0
    from_replicas: int = 0
    replicas_behind: int = 0
    from_files: int = 0
    from_cache: int = 0
    last_known: int = 0


class Source:
    """Brings contents.

    Args:
        files: what this host's workers share; None where there is only this process.
        cache: what hosts share; None where nothing is.
    """

    def __init__(self, files: SnapshotFiles | None = None, cache: SharedCache | None = None) -> None:
        self.files = files
        self.cache = cache
        self.counts = SourceCounts()
        self.replicas = Replicas()

    def newer_than(
        self, held: RevisionName | None, environment_id: int, *, known: IdentityOverrides | None = None
    ) -> Content | None:
        """Return the environment as it is now, or None where that is what is `held`.

        Args:
            known: overrides of identities as they were; those that still are so aren't read again.

        Raises:
            Environment.DoesNotExist: it, its project or its organisation is deleted.
            DatabaseUnavailable: the primary can't be asked.
        """
        fingerprints = known.fingerprints if known else None
        building = self.files.building(environment_id) if self.files else nullcontext()
        with building, asking_the_database(is_urgent=True):
            with one_moment():
                revision = current_revision(environment_id)
                if revision is None:
                    return content_of(read_rows_of(environment_id, None))  # nameless: nobody could find it
                if revision.name == held:
                    return None
                if (content := self._in_files(revision.name)) is not None:
                    return content
                # A cache may be a table of this database: it is asked outside of the transaction.
                rows = None if self._is_shared else self._rows_of(revision, fingerprints)
            if rows is None:
                content = self._in_cache(revision.name)
                if content is None and self._claims(revision.name):
                    rows = self._in_replicas(environment_id, fingerprints, revision.name)
                elif content is None:
                    content = self._awaited(revision.name)
            if content is not None:
                self._keep_on_host(content, content.to_bytes())
                return content
            content = content_of(rows or read_rows(environment_id, known=fingerprints), known)
            self.counts.built += 1
            self._keep(content)
            return content

    def last_known(self, environment_id: int) -> Content | None:
        """Return the newest content that is to be had without asking the primary."""
        found = [
            self.files.read(environment_id) if self.files else None,
            self.cache.latest(environment_id) if self.cache else None,
        ]
        contents = [content for each in found if each and (content := _readable(*each))]
        best = max(contents, key=lambda each: each.revision.name.number, default=None)
        if best is None and (rows := self._in_replicas(environment_id, None)) is not None:
            best = content_of(rows)
        self.counts.last_known += best is not None
        return best

    def environment_of(self, key: str) -> int | None:
        """Return the environment that a key, by its name, was last seen to open. Only a hint."""
        found = self.files.environment_of(key) if self.files else None
        if found is None and self.cache is not None:
            found = self.cache.environment_of(key)
        return found

    def environment_in_replicas(self, key: str) -> int | None:
        """Return the environment that a key opens as far as a replica knows. Only a hint."""
        return self._asking_replicas(lambda replica: find_environment(key, database=replica))

    def forget(self, environment_id: int) -> None:
        """Drop what is kept of an environment that is deleted."""
        if self.files:
            self.files.remove(environment_id)
        if self.cache:
            self.cache.forget(environment_id)

    @property
    def _is_shared(self) -> bool:
        return self.cache is not None and self.cache.is_shared

    def _rows_of(self, revision: Revision, known: Fingerprints | None) -> EnvironmentRows:
        """Return the rows as they are at this moment, from whoever has them."""
        environment_id = revision.name.environment_id
        rows = self._in_replicas(environment_id, known, revision.name)
        return rows or read_rows_of(environment_id, revision, known=known)

    @property
    def has_files(self) -> bool:
        """Whether this host has kept anything to start from."""
        return self.files is not None and self.files.has_any

    def _in_files(self, name: RevisionName) -> Content | None:
        found = self.files.read(name.environment_id) if self.files else None
        content = _current(name, found[1]) if found and found[0] == name else None
        self.counts.from_files += content is not None
        return content

    def _in_cache(self, name: RevisionName) -> Content | None:
        found = self.cache.read(name) if self.cache else None
        content = _current(name, found) if found else None
        self.counts.from_cache += content is not None
        return content

    def _in_replicas(
        self, environment_id: int, known: Fingerprints | None, wanted: RevisionName | None = None
    ) -> EnvironmentRows | None:
        """Return the rows from a replica.

        Args:
            wanted: the very revision that it has to have; None: whatever it has.
        """

        def read(replica: str) -> EnvironmentRows | None:
            revision = current_revision(environment_id, database=replica)
            if revision is None or wanted not in {None, revision.name}:
                self.counts.replicas_behind += 1
                return None
            rows = read_rows_of(environment_id, revision, known=known, database=replica)
            self.counts.from_replicas += 1
            return rows

        return self._asking_replicas(read)

    def _asking_replicas(self, read: Callable[[str], T | None]) -> T | None:
        """Return what the first replica that answers says; None where none answers soon."""
        began = time.monotonic()
        for replica in self.replicas.to_ask():
            try:
                with asking_the_database(replica, _REPLICA_SECONDS), one_moment(replica):
                    found = read(replica)
            except Environment.DoesNotExist:
                found = None
            except (DatabaseUnavailable, DatabaseError) as error:
                self.replicas.failed(replica, error)
                if time.monotonic() - began > _SILENT_SECONDS:
                    return None
                continue
            self.replicas.answered(replica)
            return found
        return None

    def _claims(self, name: RevisionName) -> bool:
        return self.cache is None or self.cache.claim(name)

    def _awaited(self, name: RevisionName) -> Content | None:
        """Wait a little for what another host builds."""
        deadline = time.monotonic() + _OTHER_HOST_SECONDS
        while (content := self._in_cache(name)) is None and time.monotonic() < deadline:
            time.sleep(_OTHER_HOST_RETRY_SECONDS)
        return content

    def _keep(self, content: Content) -> None:
        name, written = content.revision.name, content.to_bytes()
        self._keep_on_host(content, written)
        if self.cache is not None and self._is_shared:
            self.cache.write(name, pack(name, written), keys=content.keys)

    def _keep_on_host(self, content: Content, written: bytes) -> None:
        if self.files is not None:
            name = content.revision.name
            # Not compressed: the workers next door wait for it.
            packed = pack(name, written, compress=False)
            self.files.write(name.environment_id, packed, keys=content.keys)


@contextmanager
def asking_the_database(
    database: str = DEFAULT_DB_ALIAS, seconds: float = _DATABASE_SECONDS, *, is_urgent: bool = False
) -> Iterator[None]:
    """Limit how long the block may wait for a database.

    Args:
        is_urgent: use the connection without asking first whether it still stands: a round trip counts for
            more than one failure after the database was away.

    Raises:
        DatabaseUnavailable: it is away, or doesn't answer in time.
    """
    connection = connections[database]
    connection.close_if_unusable_or_obsolete()
    connection.health_check_done = is_urgent  # type: ignore[attr-defined]  # the stubs lack it
    try:
        # What the driver itself says, Django has to hear too, or it keeps a connection that is lost.
        with connection.wrap_database_errors, cut_off_after(seconds, connection):
            yield
    except (OperationalError, InterfaceError) as error:
        connection.close()
        raise DatabaseUnavailable(str(error)) from error


def _current(name: RevisionName, content: bytes) -> Content | None:
    """Read what this very version of the server has written."""
    found = _readable(name, content)
    return found if found and found.version == VERSION else None


def _readable(name: RevisionName, content: bytes) -> Content | None:
    try:
        return Content.from_bytes(name, content)
    except (ValueError, KeyError, TypeError, struct.error):
        logger.warning("A snapshot of another format is left aside.")
        return None
