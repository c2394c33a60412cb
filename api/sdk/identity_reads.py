"""Whose flags were read, for other services that an environment's administrators want to be told.

Only where there are such services, which the snapshot knows, anything is noted: in memory, each identity once
with the traits of its last request, within a bound. Every few seconds what was noted becomes messages to
these services. Where no event loop runs that, as under plain WSGI, it becomes one at once.

What a process that is killed has noted in those seconds is not told.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, transaction

from integrations.selectors import told_of_identities
from integrations.sending import MOST_CALLS
from integrations.services import have_told
from sdk.identities import KnownIdentity, KnownTrait
from sdk.inputs import GivenIdentity

logger = logging.getLogger(__name__)

SECONDS = 2.0

_Noted = dict[tuple[int, str], Mapping[str, KnownTrait]]


class IdentityReads:
    """The identities that a process has answered and not yet had told of."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._noted: _Noted = {}
        self._changing = Lock()
        self._is_running = False
        self._dropped = 0

    def note(
        self, environment_id: int, given: Sequence[GivenIdentity], known: Sequence[KnownIdentity]
    ) -> None:
        """Note whose flags are answered. Who is nobody in particular, or is to be kept nowhere, is not."""
        named = {
            (environment_id, asked.identifier): each.traits
            for asked, each in zip(given, known, strict=True)
            if asked.identifier and not asked.transient
        }
        self._add(named)
        if not self._is_running:
            self.flush()

    def flush(self) -> None:
        """Make messages of what was noted."""
        with self._changing:
            taken, self._noted = self._noted, {}
        if not taken:
            return
        try:
            _have_told(taken)
        except DatabaseError as error:
            logger.warning("Other services are told later whose flags were read: %s", error)
            with self._changing:
                newer, self._noted = self._noted, {}
            self._add(taken)
            self._add(newer)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make messages every few seconds inside the block, and of what is left at its end. After forking."""
        self._is_running = True
        flushing = asyncio.create_task(self._keep_flushing())
        try:
            yield
        finally:
            self._is_running = False
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)
            await asyncio.to_thread(self._flush_in_thread)

    def state(self) -> dict[str, int]:
        """Return what metrics show."""
        return {"waiting": len(self._noted), "dropped": self._dropped}

    def _add(self, noted: _Noted) -> None:
        with self._changing:
            for key, traits in noted.items():
                if key in self._noted or len(self._noted) < self._most:
                    self._noted[key] = traits
                else:
                    self._dropped += 1

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            if self._noted:  # or a thread would be made for nothing
                await asyncio.to_thread(self._flush_in_thread)

    def _flush_in_thread(self) -> None:
        try:
            self.flush()
        except Exception:
            logger.exception("Other services are not told whose flags were read.")
        finally:
            connections.close_all()  # this thread's, which nothing else would close


@transaction.atomic
def _have_told(noted: _Noted) -> None:
    by_environment: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (environment_id, identifier), traits in noted.items():
        by_environment[environment_id].append({"identifier": identifier, "traits": traits})
    have_told(
        [
            (integration_id, {"identities": batch})
            for environment_id, identities in by_environment.items()
            for integration_id in told_of_identities(environment_id)
            for batch in _batches(identities)
        ]
    )


def _batches(identities: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [identities[start : start + MOST_CALLS] for start in range(0, len(identities), MOST_CALLS)]


identity_reads = IdentityReads(settings.MAX_WAITING_IDENTITY_READS)
