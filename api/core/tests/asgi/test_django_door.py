"""A WSGI application as a door: what it is told, and how many wait for it."""

import json
import threading

import pytest

from core.asgi.bodies import BodyReader
from core.asgi.django_door import DjangoDoor
from core.asgi.front import Front
from core.asgi.lifespan import Lifespan
from core.tests.asgi.servers import served, wait_until
from core.tests.asgi.wire import chunked, connected, request


async def no_lane(request) -> bool:
    return False


def behind_a_front(door: DjangoDoor) -> Front:
    return Front(
        lifespan=Lifespan(),
        lane=no_lane,
        django=door,
        bodies=BodyReader(lambda path: 10_000),
        trusted_proxies=["127.0.0.1"],
    )


def telling(environ, start_response):
    """A WSGI application that answers with what it has been told."""
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    told["body"] = environ["wsgi.input"].read().decode("latin-1")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


@pytest.fixture(scope="module")
def tell():
    """Return a function that sends bytes and returns what the WSGI application was told."""
    door = DjangoDoor(telling, threads=2, max_waiting=10)
    with served(behind_a_front(door)) as address:

        def ask(data):
            with connected(address) as connection:
                return connection.ask(data).json()

        yield ask


def test_what_a_wsgi_application_is_told(tell):
    told = tell(
        request("POST", "/a/b?c=d", [("X-Environment-Key", "key"), ("Content-Type", "text/plain")], b"x")
    )

    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a/b",
        "QUERY_STRING": "c=d",
        "CONTENT_LENGTH": "1",
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_ENVIRONMENT_KEY": "key",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "body": "x",
    }
    assert {name: told[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("target", "path"),
    [("/caf%C3%A9", "/caf\xc3\xa9"), ("/%FF", "/\xff"), ("/a%2Fb", "/a/b"), ("//double", "//double")],
)
def test_paths_are_the_bytes_that_were_sent(tell, target, path):
    assert tell(request(target=target))["PATH_INFO"] == path


def test_a_long_query_of_bytes(tell):
    query = "name=" + "%F0%9F%A6%84%00%FF" * 120

    assert tell(request(target=f"/?{query}"))["QUERY_STRING"] == query


def test_a_body_in_chunks_has_a_length(tell):
    told = tell(request("POST", headers=[("Transfer-Encoding", "chunked")], body=chunked(b"one ", b"two")))

    assert (told["CONTENT_LENGTH"], told["body"]) == ("7", "one two")
    assert "HTTP_TRANSFER_ENCODING" not in told


def test_a_read_has_no_length(tell):
    assert "CONTENT_LENGTH" not in tell(request())


@pytest.fixture
def held():
    """An application whose answers wait for `go`; `entered` counts those that do."""

    class Held:
        def __init__(self):
            self.go = threading.Event()
            self.entered = []

        def __call__(self, environ, start_response):
            self.entered.append(threading.current_thread().name)
            self.go.wait(20)
            return telling(environ, start_response)

    return Held()


def test_no_more_requests_wait_than_may(held):
    door = DjangoDoor(held, threads=1, max_waiting=2)
    with served(behind_a_front(door)) as address:
        first, second, third, fourth = (connected(address) for _ in range(4))
        with first as at_work, second as waiting, third as also_waiting, fourth as too_many:
            at_work.send(request())
            wait_until(lambda: held.entered)
            waiting.send(request())
            also_waiting.send(request())
            # All that stand in line are there before the last one asks.
            wait_until(lambda: door.executor._work_queue.qsize() == 2)
            third_in_line = too_many.ask(request())
            held.go.set()
            answers = [each.read_answer().status for each in (at_work, waiting, also_waiting)]

            assert too_many.ask(request()).status == 200

    assert (third_in_line.status, third_in_line.header("retry-after")) == (503, "1")
    assert answers == [200, 200, 200]
    assert len(set(held.entered)) == 1


def test_a_slow_reader_holds_no_thread():
    def large(environ, start_response):
        start_response("200 OK", [])
        return [b"x" * 5_000_000]

    door = DjangoDoor(large, threads=1, max_waiting=2)
    with (
        served(behind_a_front(door)) as address,
        connected(address, receive_bytes=4096) as lazy,
        connected(address) as other,
    ):
        lazy.send(request())

        assert len(other.ask(request()).body) == 5_000_000
