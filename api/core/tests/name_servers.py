"""A name server on this machine, for tests of what asks for names."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

_HEADER, _TAIL, _RECORD = struct.Struct("!6H"), struct.Struct("!2H"), struct.Struct("!3HIH")
_KINDS = {socket.AF_INET: 1, socket.AF_INET6: 28}


@dataclass
class NameServer:
    """The addresses of names: at each lookup the next ones; the last stay.

    Attributes:
        lookups: the names that were asked for.
    """

    names: dict[str, list[list[str]]]
    lookups: list[str] = field(default_factory=list)

    def answer(self, question: bytes) -> bytes:
        number, *_ = _HEADER.unpack_from(question)
        name, rest = _read_name(question[_HEADER.size :])
        kind, _ = _TAIL.unpack_from(rest)
        turns = self.names.get(name, [[]])
        addresses = [ip_address(each) for each in turns[0]]
        records = [
            _RECORD.pack(0xC00C, kind, 1, 0, len(each.packed)) + each.packed
            for each in addresses
            if kind == (1 if each.version == 4 else 28)
        ]
        if kind == _KINDS[socket.AF_INET6]:  # which is asked for last
            self.lookups.append(name)
            turns[:-1] = turns[1:-1]
        header = _HEADER.pack(number, 0x8180, 1, len(records), 0, 0)
        return header + question[_HEADER.size :] + b"".join(records)


@contextmanager
def name_server(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[list[str]]]) -> Iterator[NameServer]:
    """Answer for these names, and let this process ask for them there; the system knows all others."""
    by_system = socket.getaddrinfo
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        server = NameServer(names)
        thread = threading.Thread(target=_serve, args=(line, server), daemon=True)
        thread.start()
        address = line.getsockname()

        def look_up(host: str, port: int, **options: Any) -> list[Any]:
            if host.lower() not in names:
                return by_system(host, port, **options)
            found = [each for kind in _KINDS.values() for each in _ask(address, host.lower(), kind)]
            if not found:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [each for text in found for each in by_system(text, port, **options)]

        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", look_up)
            yield server
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", address)
        thread.join(10)


def _serve(line: socket.socket, server: NameServer) -> None:
    while True:
        question, asker = line.recvfrom(512)
        if not question:
            return
        line.sendto(server.answer(question), asker)


def _ask(address: Any, name: str, kind: int) -> list[str]:
    labels = b"".join(bytes([len(each)]) + each.encode() for each in name.split("."))
    question = _HEADER.pack(7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + _TAIL.pack(kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(2)
        line.sendto(question, address)
        answer = line.recv(512)
    number_of_records = _HEADER.unpack_from(answer)[3]
    at, addresses = len(question), []
    for _ in range(number_of_records):
        length = _RECORD.unpack_from(answer, at)[-1]
        at += _RECORD.size + length
        addresses.append(str(ip_address(answer[at - length : at])))
    return addresses


def _read_name(data: bytes) -> tuple[str, bytes]:
    labels = []
    while data[0]:
        labels.append(data[1 : data[0] + 1].decode())
        data = data[data[0] + 1 :]
    return ".".join(labels), data[1:]
