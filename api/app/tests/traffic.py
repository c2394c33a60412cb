"""Clients that go on asking while servers come and go: each answer is kept, and so is each failure."""

import json
import select
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count

from core.tests.asgi.wire import Connection, connected, request

LABEL = "flagsmith-traffic/1"
_PAUSE_SECONDS = 0.004


class Traffic:
    """Reads, identities with traits, writes and streams, without a pause from `with` on to the block's end.

    Attributes:
        answered: how many requests of each kind were answered by 200.
        failures: whatever else became of one.
        last_traits: by identifier, what was last acknowledged.
        endings: what streams said last before they ended.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        client_key: str,
        token: str,
        write: tuple[str, Callable[[int], object]],
    ) -> None:
        self._address = address
        self._key = client_key
        self._token = token
        self._write = write
        self.answered: Counter[str] = Counter()
        self.failures: list[str] = []
        self.last_traits: dict[str, int] = {}
        self.endings: list[bytes] = []
        self._stop = threading.Event()
        work = [
            *(self._read, self._read_by_new_connections, self._identify, self._manage),
            *([self._listen] * 3),
        ]
        self._threads = [threading.Thread(target=self._run, args=(each,)) for each in work]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Have the last answers, and ask no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, EOFError, ValueError) as error:
            self.failures.append(f"{work.__name__}: {error!r}")

    def _read(self) -> None:
        flags = self._sdk_request("GET", "/api/v1/flags/")
        self._ask_over_and_over("flags", lambda number: flags)

    def _read_by_new_connections(self) -> None:
        flags = self._sdk_request("GET", "/api/v1/flags/", Connection="close")
        self._ask_over_and_over("flags", lambda number: flags)

    def _identify(self) -> None:
        def ask(number: int) -> bytes:
            content = {
                "identifier": f"traffic-{number % 10}",
                "traits": [{"trait_key": "n", "trait_value": number}],
            }
            return self._sdk_request("POST", "/api/v1/identities/", content)

        def note(number: int) -> None:
            self.last_traits[f"traffic-{number % 10}"] = number

        self._ask_over_and_over("identities", ask, note)

    def _manage(self) -> None:
        path, content = self._write
        headers = {"Authorization": f"Token {self._token}"}
        self._ask_over_and_over("writes", lambda number: _json_request("PUT", path, headers, content(number)))

    def _ask_over_and_over(
        self, kind: str, make: Callable[[int], bytes], note: Callable[[int], None] = lambda number: None
    ) -> None:
        numbers = count()
        while not self._stop.is_set():
            with connected(self._address) as connection:
                is_kept = True
                while is_kept and not self._stop.is_set() and not _is_closed(connection):
                    number = next(numbers)
                    answer = connection.ask(make(number))
                    if answer.status == 200:
                        self.answered[kind] += 1
                        note(number)
                    else:
                        self.failures.append(f"{kind}: {answer}")
                    is_kept = answer.header("connection") != "close"
                    self._stop.wait(_PAUSE_SECONDS)

    def _listen(self) -> None:
        """Listen, and again when the stream has ended: in order, by its last chunk."""
        path = f"/sse/environments/{self._key}/stream"
        while not self._stop.is_set():
            with connected(self._address) as connection:
                connection.send(request(target=path))
                heard = b""
                while not self._stop.is_set() and not heard.endswith(b"\r\n0\r\n\r\n"):
                    if not _is_readable(connection, 0.1):
                        continue
                    piece = connection.sock.recv(65536)
                    if not piece:
                        raise EOFError(f"a stream was cut off: {heard[-100:]!r}")
                    if not heard and not piece.startswith(b"HTTP/1.1 200"):
                        raise ValueError(piece.decode())
                    heard += piece
                if not self._stop.is_set():
                    self.answered["streams"] += 1
                    self.endings.append(heard[-60:])

    def _sdk_request(self, method: str, path: str, content: object = None, **headers: str) -> bytes:
        given = {"X-Environment-Key": self._key, "Flagsmith-SDK-User-Agent": LABEL, **headers}
        return _json_request(method, path, given, content)


def _json_request(method: str, path: str, headers: Mapping[str, str], content: object) -> bytes:
    body = b"" if content is None else json.dumps(content).encode()
    return request(method, path, [*headers.items(), ("Content-Type", "application/json")], body)


def _is_closed(connection: Connection) -> bool:
    """Look whether the server has closed a connection that isn't used just now, as clients' pools do."""
    return _is_readable(connection, 0)


def _is_readable(connection: Connection, seconds: float) -> bool:
    with suppress(OSError):
        return bool(select.select([connection.sock], [], [], seconds)[0])
    return True
