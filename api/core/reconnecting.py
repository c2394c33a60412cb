"""A database connection that comes back by itself, and whose lost predecessors do nothing any more.

A statement that wasn't answered in time may still be carried out: a server that was frozen goes on reading
where it stopped. What it does then would come after what was written meanwhile over a new connection. So
before that does anything, the server is made to end the old ones.
"""

import secrets

import psycopg2

from core.postgres import AsyncConnection, DatabaseUnavailable, Rows

_OPEN_SECONDS = 2.0
_STATEMENT_SECONDS = 2.0
# Less than a statement has, so that the server says no and the connection stands.
_LOCK_MILLISECONDS = 1000
# In one message with the statement, and for its transaction alone: a pooler may have another connection for
# the next one. Poolers keep track of application_name.
_IMPATIENTLY = f"SELECT set_config('lock_timeout', '{_LOCK_MILLISECONDS}ms', true); "

# Classes of SQLSTATEs: read-only as a standby is, out of resources, told to stop, a failing system. Another
# connection may lead to another server.
_UNFIT = frozenset({"25", "53", "57", "58", "XX"})

# One by one: the server waits up to a second for each to end, and says nothing of those that have.
_END = """
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = ANY(%(names)s)
"""


class Reconnecting:
    """One connection in autocommit, opened when it is needed.

    Args:
        name: what the database's administrators see as the name of the application.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection: AsyncConnection | None = None
        self._connection_name = ""
        self._lost: list[str] = []
        self.lost_count = 0

    async def execute(self, sql: str, parameters: dict[str, str]) -> Rows:
        """Run one statement and return its rows.

        Raises:
            DatabaseUnavailable: there is no connection, or no answer in time; the statement may have been
                carried out, but won't be any more once another one is answered.
            psycopg2.Error: the statement is refused. Where that is for what the server is, and not for what
                the statement says, the next one goes over a new connection.
        """
        connection = self._connection or await self._open()
        is_fit = True
        try:
            return await connection.execute(
                _IMPATIENTLY + sql, parameters, deadline_seconds=_STATEMENT_SECONDS
            )
        except psycopg2.Error as error:
            is_fit = (error.pgcode or "")[:2] not in _UNFIT
            raise
        finally:
            if connection.closed or not is_fit:
                self.close()

    def close(self) -> None:
        """Give the connection up, whatever it does. The next statement opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._lost.append(self._connection_name)
            self.lost_count += 1

    async def _open(self) -> AsyncConnection:
        connection = await AsyncConnection.open(deadline_seconds=_OPEN_SECONDS)
        name = f"{self._name} {secrets.token_hex(8)}"
        try:
            await connection.execute(
                "SELECT set_config('application_name', %(name)s, false)",
                {"name": name},
                deadline_seconds=_STATEMENT_SECONDS,
            )
            if self._lost:
                ended = await connection.execute(
                    _END, {"names": self._lost}, deadline_seconds=_STATEMENT_SECONDS
                )
                if not all(done for (done,) in ended):
                    raise DatabaseUnavailable("A lost connection's statement is still under way.")
        except BaseException:
            connection.close()
            raise
        self._lost.clear()
        self._connection, self._connection_name = connection, name
        return connection
