"""Redis and Memcached servers that tests start for themselves."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.caches import MEMCACHED, REDIS
from core.tests.programs import program

_ARGUMENTS = {
    "redis": ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"],
    "memcached": ["-l", "127.0.0.1", "-u", "nobody", "-m", "128", "-p"],
}


@dataclass
class CacheServer:
    """A server that runs.

    Attributes:
        backend, location: what Django's settings say of it.
    """

    backend: str
    location: str
    process: subprocess.Popen[bytes]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Inside the block its kernel takes connections and requests, and nobody answers."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running(name: str) -> Iterator[CacheServer]:
    """Run `redis` or `memcached` inside the block; skip the test where there is none."""
    port = free_port()
    process = subprocess.Popen([program(name), *_ARGUMENTS[name], str(port)], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        location = f"127.0.0.1:{port}"
        if name == "redis":
            yield CacheServer(REDIS, f"redis://{location}/0", process)
        else:
            yield CacheServer(MEMCACHED, location, process)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError
