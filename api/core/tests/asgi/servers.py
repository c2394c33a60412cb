"""Running servers: in a thread, where a test wants to look inside, or as gunicorn's processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import uvicorn
from django.conf import settings

from core.asgi.protocol import BoundedProtocol, BoundedServer
from core.asgi.types import Application
from core.asgi.worker import Worker
from core.tests.asgi.wire import PATIENCE_SECONDS, connected, request

Address = tuple[str, int]


@contextmanager
def served(application: Application, protocol: type[BoundedProtocol] = BoundedProtocol) -> Iterator[Address]:
    """Serve an application from a thread, with the worker's own settings."""
    options: dict[str, Any] = {
        **Worker.CONFIG_KWARGS,
        "http": protocol,
        "timeout_keep_alive": 1,
        "log_config": None,
    }
    server = BoundedServer(uvicorn.Config(application, **options))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield address
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


class Gunicorn:
    """A gunicorn that runs."""

    def __init__(self, process: subprocess.Popen[bytes], address: Address, log: Path) -> None:
        self.process = process
        self.address = address
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def workers(self) -> set[int]:
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextmanager
def gunicorn(
    log: Path, *arguments: str, code: Path | str = settings.API_DIR, **environment: str
) -> Iterator[Gunicorn]:
    """Run gunicorn with our worker on a free port, and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "--no-control-socket",
                    "--bind",
                    f"127.0.0.1:{address[1]}",
                ),
                *("--worker-class", "core.asgi.worker.Worker", "--log-level", "info", *arguments),
            ],
            cwd=code,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Gunicorn(process, address, log)
    try:
        wait_until(lambda: process.poll() is None and _answers(address), lambda: server.log)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()


def wait_until(condition, explain=lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


def _answers(address: Address) -> bool:
    try:
        with connected(address) as connection:
            connection.ask(request(headers=[("Connection", "close")]))
    except (OSError, EOFError):
        return False
    return True
