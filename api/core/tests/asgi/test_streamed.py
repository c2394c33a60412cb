"""Answers without a length, written past `send`."""

import pytest

from core.tests.asgi.applications import streaming
from core.tests.asgi.servers import served
from core.tests.asgi.wire import connected, request


@pytest.fixture(scope="module")
def server():
    with served(streaming) as address:
        yield address


def test_pieces_come_as_chunks_and_the_end_closes_the_connection(server):
    with connected(server) as connection:
        answer = connection.ask(request(target="/?pieces=3&bytes=10"))

        assert connection.is_closed_by_server()
    assert answer.body == b"x" * 30
    assert answer.header("transfer-encoding") == "chunked"


def test_a_reader_who_does_not_read_is_cut_off(server):
    with connected(server, receive_bytes=4096) as connection:
        connection.send(request(target="/?pieces=1000000&bytes=50000"))

        received = connection.count_until_closed(pause_seconds=0.05)

    assert 0 < received < 50_000 * 1_000_000


def test_a_reader_who_leaves_is_heard_of(server):
    with connected(server) as connection:
        connection.send(request(target="/?pieces=1000000000&bytes=1"))
        connection.sock.recv(10)

    with connected(server) as connection:  # the server has not come to harm, and isn't busy with it
        assert connection.ask(request(target="/?pieces=1&bytes=1")).body == b"x"
