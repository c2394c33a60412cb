"""gunicorn with our worker, in processes of its own: its signals, its log lines, its metrics."""

import re
import signal
import socket
import threading
import time

import pytest

from core.tests.asgi.servers import gunicorn, wait_until
from core.tests.asgi.wire import Answer, connected, request

ECHO = "core.tests.asgi.applications:echo"
CLOSE = [("Connection", "close")]


def test_a_request_at_hand_is_finished_before_the_end(tmp_path):
    with gunicorn(tmp_path / "log", ECHO) as server:
        with connected(server.address) as connection:
            connection.send(request(target="/echo?wait=1.5"))
            time.sleep(0.3)
            server.tell(signal.SIGTERM)
            answer = connection.read_answer()

        assert server.process.wait(20) == 0
    assert (answer.status, answer.header("connection")) == (200, "close")
    assert "Worker exiting" in server.log
    assert "Traceback" not in server.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_an_idle_server_ends_at_once_whoever_holds_a_connection(tmp_path, number):
    with gunicorn(tmp_path / "log", ECHO) as server, connected(server.address):
        started = time.monotonic()
        server.tell(number)

        assert server.process.wait(20) == 0
    assert time.monotonic() - started < 10


def test_a_request_that_never_ends_does_not_keep_the_server(tmp_path):
    arguments = ["--graceful-timeout", "2", ECHO]
    with gunicorn(tmp_path / "log", *arguments) as server, connected(server.address) as connection:
        connection.send(request(target="/echo?wait=600"))
        time.sleep(0.3)
        server.tell(signal.SIGTERM)

        assert server.process.wait(20) == 0


class Asking:
    """Clients that ask without a pause, each answer noted, until the block ends."""

    def __init__(self, address, *, keeps_connection: bool) -> None:
        self.answers: list[Answer] = []
        self.failures: list[Exception] = []
        self._address = address
        self._headers = [] if keeps_connection else CLOSE
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        try:
            while not self._stop.is_set():
                with connected(self._address) as connection:
                    answer = None
                    while not self._stop.is_set() and (answer is None or not answer.header("connection")):
                        answer = connection.ask(request(headers=self._headers))
                        self.answers.append(answer)
        except (OSError, EOFError) as error:
            self.failures.append(error)


@pytest.mark.parametrize("keeps_connection", [True, False])
def test_no_request_is_lost_while_workers_are_replaced(tmp_path, keeps_connection):
    with gunicorn(tmp_path / "log", "--workers", "2", ECHO) as server:
        before = server.workers()
        with Asking(server.address, keeps_connection=keeps_connection) as clients:
            for _ in range(2):
                old = server.workers()
                server.tell(signal.SIGHUP)
                wait_until(lambda old=old: len(now := server.workers()) == 2 and not now & old)
            seen = len(clients.answers)
            wait_until(lambda: len(clients.answers) > seen + 20)

    assert clients.failures == []
    assert {answer.status for answer in clients.answers} == {200}
    pids = {answer.json()["pid"] for answer in clients.answers}
    assert pids - before, "nobody asked the new workers"


def test_workers_are_replaced_after_as_many_requests_as_were_asked_for(tmp_path):
    with gunicorn(tmp_path / "log", "--workers", "2", "--max-requests", "50", ECHO) as server:
        first = server.workers()
        with Asking(server.address, keeps_connection=True) as clients:
            wait_until(lambda: len(now := server.workers()) == 2 and not now & first)

    assert clients.failures == []


def test_limits_of_connections_hold_in_a_worker(tmp_path):
    worker = ["--worker-class", "core.tests.asgi.applications.HastyWorker"]
    with gunicorn(tmp_path / "log", *worker, ECHO) as server, connected(server.address) as silent:
        assert silent.is_closed_by_server()


@pytest.mark.parametrize("arguments", [[], ["--access-logfile", "-"]])
def test_no_line_is_written_unless_somebody_wants_it(tmp_path, arguments):
    with gunicorn(tmp_path / "log", *arguments, ECHO) as server, connected(server.address) as connection:
        connection.ask(request(target="/echo?line"))
        time.sleep(0.2)

    assert ("/echo?line" in server.log) == bool(arguments)


def test_lines_of_the_access_log(tmp_path):
    lines = tmp_path / "lines"
    pattern = (
        '%(h)s %(u)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(m)s %(U)s %(q)s %({x-trace}i)s %({content-type}o)s'
    )
    arguments = ["--access-logfile", str(lines), "--access-logformat", pattern]
    headers = [("User-Agent", "curl"), ("X-Trace", "t1"), ("Authorization", "Basic a2ltOnB3")]

    with gunicorn(tmp_path / "log", *arguments, ECHO) as server, connected(server.address) as connection:
        answer = connection.ask(request("POST", "/a%20b?c=d", headers, b"body"))
        wait_until(lambda: "/a%20b" in lines.read_text())

    expected = (
        f'127.0.0.1 kim "POST /a%20b?c=d HTTP/1.1" 200 {len(answer.body)} "-" "curl" POST /a b c=d t1 '
        "application/json"
    )
    assert expected in lines.read_text().splitlines()


def test_no_format_writes_what_opens_something(tmp_path):
    lines = tmp_path / "lines"
    names = ["authorization", "cookie", "x-api-key", "x-environment-key"]
    pattern = " ".join(["%(U)s", "%(u)s", "%({HTTP_AUTHORIZATION}e)s", *(f"%({name}i)s" for name in names)])
    arguments = ["--access-logfile", str(lines), "--access-logformat", pattern]
    headers = [(name, f"Api-Key canary-{name}") for name in names]

    with gunicorn(tmp_path / "log", *arguments, ECHO) as server, connected(server.address) as connection:
        connection.ask(request(target="/here", headers=headers))
        wait_until(lambda: "/here" in lines.read_text())

    assert "/here - - - - - -" in lines.read_text().splitlines()


def test_an_answer_that_is_there_as_bytes_has_its_line(tmp_path):
    arguments = [
        "--access-logfile",
        str(tmp_path / "lines"),
        "--access-logformat",
        "%(s)s %(b)s %({content-type}o)s",
    ]

    with (
        gunicorn(tmp_path / "log", *arguments, "core.tests.asgi.applications:whole") as server,
        connected(server.address) as connection,
    ):
        connection.ask(request(target="/?bytes=123"))
        wait_until(lambda: "123" in (tmp_path / "lines").read_text())

    assert "200 123 text/plain" in (tmp_path / "lines").read_text().splitlines()


def test_a_stream_has_its_line_when_it_has_ended(tmp_path):
    arguments = ["--access-logfile", str(tmp_path / "lines"), "--access-logformat", "%(s)s %(U)s"]

    with (
        gunicorn(tmp_path / "log", *arguments, "core.tests.asgi.applications:streaming") as server,
        connected(server.address) as connection,
    ):
        connection.ask(request(target="/stream?pieces=2&bytes=10"))
        wait_until(lambda: "/stream" in (tmp_path / "lines").read_text())

    assert "200 /stream" in (tmp_path / "lines").read_text().splitlines()


def test_a_log_is_opened_anew_when_it_has_been_moved(tmp_path):
    lines, moved = tmp_path / "lines", tmp_path / "moved"
    with gunicorn(tmp_path / "log", "--access-logfile", str(lines), ECHO) as server:
        lines.rename(moved)
        server.tell(signal.SIGUSR1)
        wait_until(lines.exists)

        def is_written():
            with connected(server.address) as connection:
                connection.ask(request(target="/after", headers=CLOSE))
            return "/after" in lines.read_text()

        wait_until(is_written)


def test_a_client_that_went_away_is_in_the_log(tmp_path):
    with gunicorn(tmp_path / "log", "--access-logfile", "-", ECHO) as server:
        with connected(server.address) as connection:
            connection.send(request(target="/gone?wait=0.5", headers=CLOSE))
        wait_until(lambda: "/gone" in server.log)

    assert re.search(r'"GET /gone\?wait=0\.5 HTTP/1\.1" (200|499) ', server.log)


def test_metrics_go_to_statsd_under_gunicorns_names(tmp_path):
    expected = {
        "flags.api.gunicorn.requests:1|c|@1.0",
        "flags.api.gunicorn.request.status.200:1|c|@1.0",
        "flags.api.gunicorn.request.duration:N|ms",
        "flags.api.gunicorn.workers:1|g",
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(20)
        host = f"127.0.0.1:{statsd.getsockname()[1]}"
        arguments = ["--statsd-host", host, "--statsd-prefix", "flags.api"]
        with gunicorn(tmp_path / "log", *arguments, ECHO) as server, connected(server.address) as connection:
            connection.ask(request())
            received: set[str] = set()
            while not expected <= received:
                received.add(re.sub(r":[\d.]+\|ms", ":N|ms", statsd.recv(1000).decode()))
