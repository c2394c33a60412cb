"""Flags as bytes, each encoded once: an identity's answer is only chosen and joined."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.flags import REASON_CIRCULAR, Flag


@dataclass(frozen=True, slots=True)
class Visibility:
    """Which flags are answered.

    Attributes:
        server_only: the names of the features that client-side keys don't see.
    """

    hides_disabled_flags: bool
    server_only: frozenset[str]

    def shows(self, flag: Flag, *, to_server: bool) -> bool:
        """Whether answers to servers, or to clients, carry this flag."""
        return (flag.enabled or not self.hides_disabled_flags) and (
            to_server or flag.name not in self.server_only
        )


class Fragments:
    """What one kind of answer has for each flag: bytes of JSON, or none where it doesn't show the flag.

    Flags are encoded when they are first asked for, so that an environment without such requests keeps
    none.
    """

    __slots__ = ("_to_clients", "_to_servers")

    def __init__(self, encode: Callable[[Flag], bytes], visibility: Visibility) -> None:
        def to_server(flag: Flag) -> bytes:
            return encode(flag) if visibility.shows(flag, to_server=True) else b""

        def to_client(flag: Flag) -> bytes:
            return b"" if flag.name in visibility.server_only else to_servers[flag]

        to_servers = self._to_servers = _Encoded(to_server)
        self._to_clients = _Encoded(to_client) if visibility.server_only else to_servers

    def of(self, flag: Flag, *, to_server: bool) -> bytes:
        return (self._to_servers if to_server else self._to_clients)[flag]

    def joined(self, flags: Iterable[Flag], *, to_server: bool) -> bytes:
        """Return the members of a JSON array of flags."""
        encoded = self._to_servers if to_server else self._to_clients
        return b",".join(filter(None, map(encoded.__getitem__, flags)))


class _Encoded(dict[Flag, bytes]):
    """Bytes by flag, filled as it is read."""

    __slots__ = ("_encode",)

    def __init__(self, encode: Callable[[Flag], bytes]) -> None:
        self._encode = encode

    def __missing__(self, flag: Flag) -> bytes:
        item = self._encode(flag)
        if _comes_again(flag):
            self[flag] = item
        return item


def _comes_again(flag: Flag) -> bool:
    """Whether evaluating can give this very flag again.

    Those of identities' overrides, and those that depend on themselves, are made anew each time.
    """
    metadata = flag.feature["metadata"] or {}
    return metadata["identity_id"] is None and flag.reason != REASON_CIRCULAR
