"""The two servers: Burgee as `make run` starts it, and the bare application under the same gunicorn."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.errors import CaseFailed

REPOSITORY = Path(__file__).parent.parent
WORKERS = 2
THREADS = 4  # of the pool behind the lane, in each worker: as `make run` has it

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Server:
    """A gunicorn that answers."""

    url: str
    port: int
    master: psutil.Process
    seconds_to_first_answer: float

    @property
    def workers(self) -> list[psutil.Process]:
        workers: list[psutil.Process] = self.master.children()
        return workers

    def cpu_seconds(self) -> float:
        """Return the processor time that the workers have taken since they started."""
        return sum(sum(worker.cpu_times()[:2]) for worker in self.workers)


@contextmanager
def burgee(
    environment: Mapping[str, str], *, key: str, log: Path, workers: int = WORKERS
) -> Iterator[Server]:
    """Serve Burgee inside the block.

    Args:
        environment: what configures it: database, folders, secret.
        key: of an environment whose flags it has to answer before the block begins.
    """
    command = [sys.executable, "-m", "gunicorn", "--config", "python:app.gunicorn", "app.asgi"]
    own = {"GUNICORN_WORKERS": str(workers), "GUNICORN_THREADS": str(THREADS), "APP_HOST": "127.0.0.1"}
    port = _free_port()
    with _gunicorn(
        command,
        {**environment, **own, "PORT": str(port)},
        port=port,
        folder=REPOSITORY / "api",
        log=log,
        answers=lambda: _is_ok(port, "/api/v1/flags/", {"X-Environment-Key": key}),
    ) as server:
        yield server


@contextmanager
def bare(*, log: Path) -> Iterator[Server]:
    """Serve the bare application inside the block, in the same way."""
    port = _free_port()
    memory = ["--worker-tmp-dir", "/dev/shm"] if Path("/dev/shm").is_dir() else []  # noqa: S108
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)),
        *(
            "--keep-alive",
            "2",
            "--worker-class",
            "bench.bare.Worker",
            "--preload",
            "--no-control-socket",
            *memory,
        ),
        "bench.bare:application",
    ]
    with _gunicorn(
        command, machine(), port=port, folder=REPOSITORY, log=log, answers=lambda: _is_ok(port, "/1", {})
    ) as server:
        yield server


def machine() -> dict[str, str]:
    """Return what the machine gives a process, and nothing that configures the product."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


@contextmanager
def _gunicorn(
    command: list[str],
    environment: Mapping[str, str],
    *,
    port: int,
    folder: Path,
    log: Path,
    answers: Callable[[], bool],
) -> Iterator[Server]:
    started_at = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C comes to the bench alone, which ends it in order
        )
    try:
        while not answers():
            if process.poll() is not None or time.monotonic() - started_at > _START_SECONDS:
                raise CaseFailed(f"The server doesn't start: {_last_lines(log)}")
            time.sleep(_LOOK_AGAIN_SECONDS)
        took = time.monotonic() - started_at
        yield Server(f"http://127.0.0.1:{port}", port, psutil.Process(process.pid), took)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ok(port: int, path: str, headers: Mapping[str, str]) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request("GET", path, headers=dict(headers))
        return client.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _last_lines(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").strip().splitlines()[-5:]) or "it says nothing"
