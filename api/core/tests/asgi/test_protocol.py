"""Connections: what a client may send, how slowly, and what happens to those who hold them open."""

import threading
import time
from contextlib import ExitStack
from contextvars import ContextVar

import pytest

from core.asgi import protocol
from core.asgi.responses import send_json
from core.asgi.types import Receive, Scope, Send
from core.tests.asgi.applications import HastyProtocol, echo, whole
from core.tests.asgi.servers import served
from core.tests.asgi.wire import PATIENCE_SECONDS, chunked, connected, request

LARGE = 16 * 1024


@pytest.fixture(scope="module")
def server():
    with served(echo) as address:
        yield address


@pytest.fixture
def hasty_server(monkeypatch):
    """A server whose deadlines are fractions of a second."""
    monkeypatch.setattr(protocol, "SWEEP_SECONDS", 0.05)
    with served(echo, HastyProtocol) as address:
        yield address


def padded(size: int) -> bytes:
    """Return a request whose head is about `size` bytes."""
    return request(headers=[("X-Padding", "x" * (size - 60))])


# What is answered


def test_requests_follow_each_other_on_one_connection(server):
    with connected(server) as connection:
        answers = [connection.ask(request(target=f"/echo?n={number}")) for number in range(3)]

    assert [answer.json()["query"] for answer in answers] == ["n=0", "n=1", "n=2"]


def test_pipelined_requests_are_answered_in_order(server):
    bodies = [f"body {number}".encode() for number in range(20)]

    with connected(server) as connection:
        connection.send(b"".join(request("POST", body=body) for body in bodies))
        answers = [connection.read_answer() for _ in bodies]

    assert [answer.json()["body"].encode() for answer in answers] == bodies


def test_pipelined_requests_know_nothing_of_each_other():
    before = ContextVar("of requests before", default=0)

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await echo(scope, receive, send)
            return
        before.set(before.get() + 1)
        await send_json(send, 200, before.get())

    with served(counting) as address, connected(address) as connection:
        connection.send(request() * 3)

        assert [connection.read_answer().json() for _ in range(3)] == [1, 1, 1]


def test_an_answer_that_is_there_as_bytes_is_sent_like_any_other():
    with served(whole) as address, connected(address) as connection:
        connection.send(request() * 3 + request(headers=[("Connection", "close")]))
        answers = [connection.read_answer() for _ in range(4)]
        assert connection.is_closed_by_server()

    assert [answer.body for answer in answers] == [b"xxxxx"] * 4
    assert [answer.header("connection") for answer in answers] == [None, None, None, "close"]
    assert all(answer.header("date") for answer in answers)


def test_an_answer_that_is_there_as_bytes_waits_for_a_slow_reader():
    with served(whole) as address, connected(address, receive_bytes=4096) as connection:
        connection.send(request(target="/?bytes=3000000") * 3)
        time.sleep(0.5)

        assert [len(connection.read_answer().body) for _ in range(3)] == [3_000_000] * 3


def test_many_small_pipelined_heads_may_be_more_than_one_large_one(server):
    with connected(server) as connection:
        connection.send(padded(1000) * 40)

        assert {connection.read_answer().status for _ in range(40)} == {200}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET", "DELETE"])
def test_methods(server, method):
    with connected(server) as connection:
        connection.send(request(method))
        first = connection.read_answer(has_body=method != "HEAD")
        second = connection.ask(request())

    assert (first.status, second.json()["method"]) == (200, "GET")


def test_a_body_in_chunks(server):
    with connected(server) as connection:
        answer = connection.ask(
            request("POST", headers=[("Transfer-Encoding", "chunked")], body=chunked(b"one ", b"two"))
        )

    assert answer.json()["body"] == "one two"


def test_trailers_are_no_headers(server):
    body = chunked(b"one", trailers=b"X-Environment-Key: other\r\n")

    with connected(server) as connection:
        answer = connection.ask(request("POST", headers=[("Transfer-Encoding", "chunked")], body=body))

    assert [name for name, _ in answer.json()["headers"]] == ["host", "transfer-encoding"]


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(server):
    with connected(server) as connection:
        connection.send(request("POST", headers=[("Expect", "100-continue"), ("Content-Length", "3")]))
        assert connection.read_answer(has_body=False).status == 100
        answer = connection.ask(b"one")

    assert answer.json()["body"] == "one"


@pytest.mark.parametrize("body", [b"", b"one two"])
def test_an_offer_of_http_2_is_ignored_and_loses_no_body(server, body):
    offer = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAEAAEAAAAIAA"),
    ]

    with connected(server) as connection:
        connection.send(request("POST", headers=offer, body=body) * 3)
        answers = [connection.read_answer() for _ in range(3)]

    assert [answer.json()["body"].encode() for answer in answers] == [body] * 3
    assert "upgrade" not in dict(answers[0].json()["headers"])


# What is refused


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_head_within_the_limit_is_served_however_it_comes(server, pieces):
    data = padded(LARGE - 100)
    size = len(data) // pieces + 1

    with connected(server) as connection:
        for start in range(0, len(data), size):
            connection.send(data[start : start + size])
            time.sleep(0.01)

        assert connection.read_answer().status == 200


@pytest.mark.parametrize(
    "data",
    [
        padded(LARGE + 100),
        padded(20 * LARGE),
        request(target="/" + "x" * LARGE),
        request(headers=[(f"X-{number}", "x" * 50) for number in range(400)]),
        b"GET / HTTP/1.1\r\nX-Endless: " + b"x" * 20 * LARGE,
        request("POST", body=b"x" * 20 * LARGE, headers=[("X-Padding", "x" * LARGE)]),
    ],
    ids=["a little", "much", "target", "many headers", "no end", "with a body"],
)
def test_a_head_beyond_the_limit_is_431(server, data):
    with connected(server) as connection:
        connection.send(data)
        answer = connection.read_answer()
        assert connection.is_closed_by_server()

    assert (answer.status, answer.json()) == (431, {"detail": "The request's headers are too large."})


def test_a_large_head_behind_another_request_is_refused_after_its_answer(server):
    with connected(server) as connection:
        connection.send(request(target="/echo?wait=0.2") + padded(2 * LARGE))

        assert [connection.read_answer().status for _ in range(2)] == [200, 431]
        assert connection.is_closed_by_server()


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        request(target="/echo?name=\xe9"),
        request("POST", headers=[("Content-Length", "3"), ("Content-Length", "3")], body=b"one"),
        request("POST", headers=[("Content-Length", "3"), ("Content-Length", "4")], body=b"one"),
        request("POST", headers=[("Content-Length", "3"), ("Transfer-Encoding", "chunked")], body=b"one"),
        request("POST", headers=[("Content-Length", "-1")], body=b"one"),
        request("POST", headers=[("Transfer-Encoding", "chunked")], body=b"nonsense\r\n"),
        request(headers=[("X-Folded", "one\r\n two")]),
    ],
)
def test_what_is_not_http_is_400(server, data):
    with connected(server) as connection:
        connection.send(data)
        answer = connection.read_answer()
        assert connection.is_closed_by_server()

    assert (answer.status, answer.json()) == (400, {"detail": "This is not a valid HTTP request."})


def test_nonsense_behind_a_request_comes_after_its_answer(server):
    with connected(server) as connection:
        connection.send(request(target="/echo?wait=0.2") + b"nonsense\r\n\r\n")

        assert [connection.read_answer().status for _ in range(2)] == [200, 400]


def test_endless_trailers_end_the_connection(server):
    with connected(server) as connection:
        connection.send(request("POST", headers=[("Transfer-Encoding", "chunked")]) + b"3\r\none\r\n0\r\n")

        assert connection.is_cut_while_sending(b"X-Trailer: x\r\n" * 100, pause_seconds=0)


# Who is slow


def test_a_connection_that_stays_silent_is_closed(hasty_server):
    with connected(hasty_server) as connection:
        assert connection.is_closed_by_server()


def test_a_connection_that_sends_nothing_but_line_ends_is_closed(hasty_server):
    with connected(hasty_server) as connection:
        assert connection.is_cut_while_sending(b"\r\n")


def test_a_head_that_comes_byte_by_byte_is_cut(hasty_server):
    with connected(hasty_server) as connection:
        connection.send(b"GET / HTTP/1.1\r\nX-Slow: ")

        assert connection.is_cut_while_sending(b"x")


def test_deadlines_hold_for_each_request_of_a_connection_anew(hasty_server):
    """The head takes longer than an idle connection is kept, and less than a head may take."""
    with connected(hasty_server) as connection:
        for _ in range(3):
            data = request("POST", body=b"x" * 100)
            for start in range(0, len(data), 20):
                connection.send(data[start : start + 20])
                time.sleep(0.05)
            assert connection.read_answer().status == 200


def test_a_body_that_stalls_is_cut(hasty_server):
    with connected(hasty_server) as connection:
        connection.send(request("POST", headers=[("Content-Length", "10000")]) + b"x" * 5000)

        assert connection.is_closed_by_server()


def test_a_body_that_trickles_is_cut(hasty_server):
    with connected(hasty_server) as connection:
        connection.send(request("POST", headers=[("Content-Length", "10000")]))

        assert connection.is_cut_while_sending(b"x")


def test_a_body_that_comes_slowly_but_steadily_is_read(hasty_server):
    pieces = [b"x" * 1000] * 15

    with connected(hasty_server) as connection:
        connection.send(request("POST", headers=[("Content-Length", "15000")]))
        for piece in pieces:
            connection.send(piece)
            time.sleep(0.1)

        assert len(connection.read_answer().json()["body"]) == 15000


def test_a_body_behind_a_slow_answer_is_not_held_against_its_client(hasty_server):
    body = b"x" * 200_000

    with connected(hasty_server) as connection:
        connection.send(request(target="/echo?wait=1.5"))
        sending = threading.Thread(target=connection.send, args=(request("POST", body=body),))
        sending.start()
        answers = [connection.read_answer() for _ in range(2)]
        sending.join()

    assert len(answers[1].json()["body"]) == len(body)


def test_a_request_may_take_longer_than_all_deadlines(hasty_server):
    with connected(hasty_server) as connection:
        assert connection.ask(request(target="/echo?wait=1.5")).status == 200


def test_a_body_that_nobody_reads_is_taken_for_a_while_so_that_the_answer_is_seen(hasty_server):
    with connected(hasty_server) as connection:
        connection.send(request("POST", "/echo?unread", headers=[("Content-Length", "1000000")]))
        assert connection.read_answer().status == 200
        connection.send(b"x" * 999_999)
        answer = connection.ask(b"x" + request())

    assert answer.status == 200


def test_a_body_that_nobody_reads_does_not_go_on_for_ever(hasty_server):
    with connected(hasty_server) as connection:
        connection.ask(request("POST", "/echo?unread", headers=[("Content-Length", "100000000")]))

        assert connection.is_cut_while_sending(b"x" * 2000)


def test_a_client_that_waits_for_leave_and_is_refused_is_let_go(hasty_server):
    head = request(
        "POST", "/echo?unread", headers=[("Expect", "100-continue"), ("Content-Length", "1000000")]
    )

    with connected(hasty_server) as connection:
        assert connection.ask(head).status == 200
        assert connection.is_closed_by_server()


@pytest.mark.parametrize("connection_header", ["keep-alive", "close"])
def test_a_client_that_does_not_read_is_cut_while_others_are_served(hasty_server, connection_header):
    size = 5_000_000

    with connected(hasty_server, receive_bytes=4096) as lazy:
        lazy.send(request(target=f"/echo?bytes={size}", headers=[("Connection", connection_header)]))
        with connected(hasty_server) as other:
            for _ in range(30):
                assert other.ask(request()).status == 200
                time.sleep(0.05)

        assert lazy.count_until_closed() < size


def test_a_client_that_reads_slowly_but_steadily_gets_everything(hasty_server):
    size = 3_000_000

    with connected(hasty_server, receive_bytes=65536) as connection:
        connection.send(request(target=f"/echo?bytes={size}", headers=[("Connection", "close")]))

        assert connection.count_until_closed(pause_seconds=0.02) > size


def test_an_idle_connection_is_closed_after_a_while(hasty_server):
    with connected(hasty_server) as connection:
        connection.ask(request())

        assert connection.is_closed_by_server()


def test_who_was_connected_before_the_end_is_answered():
    """The system makes connections by itself, and a busy loop accepts them late."""
    with ExitStack() as stack:
        with served(blocking) as address:
            first = stack.enter_context(connected(address))
            first.send(request(target="/block"))
            blocked.wait(PATIENCE_SECONDS)
            others = [stack.enter_context(connected(address)) for _ in range(20)]
            for each in others:
                each.send(request())
            threading.Timer(0.2, released.set).start()

        assert [each.read_answer().status for each in [first, *others]] == [200] * 21


blocked, released = threading.Event(), threading.Event()


async def blocking(scope, receive, send):
    if scope["type"] == "lifespan":
        await echo(scope, receive, send)
        return
    if scope["path"] == "/block":
        blocked.set()
        released.wait(PATIENCE_SECONDS)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
