"""Hears of every change, on the event loop.

Two connections, each with a deadline on every step. One listens, and a heartbeat tells whether it still
would hear. The other asks once a second for the revisions of what is held: the floor under
poolers that can't LISTEN, and under anything else that could make a notification go missing. Whatever is
lost is made anew, for ever; after that, what is held is compared before anything is waited for.

A pooler that gives each transaction another connection takes a LISTEN and passes nothing on. So where one
stands between, it is tried whether notifications arrive, before they are relied on.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections

from core.postgres import AsyncConnection, DatabaseUnavailable
from core.routing import DIRECT
from documents.rows import RevisionName
from environments.models.revisions import REVISION_CHANNEL

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
POLL_SECONDS = 1.0
DEADLINE_SECONDS = 2.0
RETRY_SECONDS = 0.2
# How long a notification may take to be taken for lost, and how soon a pooler is tried again.
HEARING_SECONDS = 1.0
DEAF_SECONDS = 60.0

# As notifications spell it, so that nothing is parsed that is as expected.
_CURRENT = """
SELECT environment_id || ':' || revision || ':' || nonce FROM environments_environmentrevision
WHERE environment_id = ANY(%s::integer[])
"""


@dataclass(slots=True)
class FeedState:
    """How the feed does, for metrics and readiness.

    Attributes:
        is_listening: whether notifications arrive.
        is_deaf: whether a pooler keeps them back, so that changes are found by asking.
        confirmed_at: when the primary last told what is current, by the monotonic clock; None: never.
        reconnects: how often a connection was made anew.
    """

    is_listening: bool = False
    is_deaf: bool = False
    confirmed_at: float | None = None
    reconnects: int = 0


class Feed:
    """Calls back with what has changed.

    Args:
        heard: called with a notified name. It may be known already, or be overtaken.
        compared: called whenever the primary has told what is current, with the ids of the environments for
            which it names another revision than the one that is held, or none.
        held: returns which revisions are held, by environment.
    """

    def __init__(
        self,
        *,
        heard: Callable[[RevisionName], None],
        compared: Callable[[Collection[int]], None],
        held: Callable[[], Mapping[int, RevisionName]],
    ) -> None:
        self._heard = heard
        self._compared = compared
        self._held = held
        self.state = FeedState()

    async def run(self) -> None:
        """Listen and poll until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._listen, _listening_database()))
            tasks.create_task(self._repeat(self._poll, DEFAULT_DB_ALIAS))

    async def _repeat(self, session: Callable[[AsyncConnection], Awaitable[None]], database: str) -> None:
        while True:
            connection: AsyncConnection | None = None
            try:
                connection = await AsyncConnection.open(database, deadline_seconds=DEADLINE_SECONDS)
                await session(connection)
            except DatabaseUnavailable as lost:
                logger.warning("The feed has lost the database: %s", lost)
            except Exception:
                logger.exception("The feed failed and starts again.")
            finally:
                if connection is not None:
                    connection.close()
            self.state.reconnects += 1
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, connection: AsyncConnection) -> None:
        if await connection.is_pooled(deadline_seconds=DEADLINE_SECONDS) and not await _hears(connection):
            if not self.state.is_deaf:
                logger.warning(
                    "A pooler keeps notifications back: changes are found within a second or two, by asking. "
                    "DIRECT_DATABASE_URL may name a way around it."
                )
            self.state.is_deaf = True
            connection.close()
            await asyncio.sleep(DEAF_SECONDS)
            return
        self.state.is_deaf = False
        lost = asyncio.Event()
        connection.on_notify = self._notified
        connection.on_lost = lost.set
        await connection.execute(f"LISTEN {REVISION_CHANNEL}", deadline_seconds=DEADLINE_SECONDS)
        # Whatever was notified while nobody listened is lost.
        await self._compare(connection)
        self.state.is_listening = True
        try:
            while not lost.is_set():
                connection.watch()
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await lost.wait()
                except TimeoutError:
                    await connection.execute("SELECT 1", deadline_seconds=DEADLINE_SECONDS)
        finally:
            self.state.is_listening = False

    async def _poll(self, connection: AsyncConnection) -> None:
        while True:
            await self._compare(connection)
            await asyncio.sleep(POLL_SECONDS)

    async def _compare(self, connection: AsyncConnection) -> None:
        held = self._held()
        ids = f"{{{','.join(map(str, held))}}}"
        rows = await connection.execute(_CURRENT, [ids], deadline_seconds=DEADLINE_SECONDS)
        self.state.confirmed_at = time.monotonic()
        current = {text for (text,) in rows}
        self._compared({environment_id for environment_id, name in held.items() if str(name) not in current})

    def _notified(self, payload: str) -> None:
        try:
            name = RevisionName.parse(payload)
        except ValueError:
            logger.warning("A notification that nobody of ours has sent is left aside.")
            return
        self._heard(name)


def _listening_database() -> str:
    return DIRECT if DIRECT in connections.databases else DEFAULT_DB_ALIAS


async def _hears(connection: AsyncConnection) -> bool:
    """Try whether a notification that is sent over another connection arrives."""
    channel, heard = f"burgee_hears_{secrets.token_hex(8)}", asyncio.Event()
    connection.on_notify = lambda _: heard.set()
    await connection.execute(f"LISTEN {channel}", deadline_seconds=DEADLINE_SECONDS)
    other = await AsyncConnection.open(_listening_database(), deadline_seconds=DEADLINE_SECONDS)
    try:
        await other.execute(f"NOTIFY {channel}", deadline_seconds=DEADLINE_SECONDS)
    finally:
        other.close()
    connection.watch()
    try:
        async with asyncio.timeout(HEARING_SECONDS):
            await heard.wait()
    except TimeoutError:
        return False
    finally:
        await connection.execute(f"UNLISTEN {channel}", deadline_seconds=DEADLINE_SECONDS)
    return True
