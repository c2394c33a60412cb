"""Running the product's commands as a person does: in a process of their own, in a folder of their own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.conf import settings

MANAGE = str(settings.API_DIR / "manage.py")
# What the machine gives a process, and nothing that configures the product.
MACHINE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` to its end with nothing in the environment but `environment`."""
    return subprocess.run(
        [sys.executable, MANAGE, *arguments],
        env={**MACHINE, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Running:
    """A command that goes on until it is told to stop. `output` is what it has written so far."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait_for(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.output, re.MULTILINE)):
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, f"never said {pattern!r}: {self.output}"
            time.sleep(0.05)
        return found

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal to the whole group, as a terminal does, and return the exit status."""
        os.killpg(self.process.pid, number)
        return self.process.wait(30)


@contextmanager
def running(log: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """Run a command of `manage.py`."""
    with started([sys.executable, MANAGE, *arguments], log, environment=environment) as command:
        yield command


@contextmanager
def started(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[Running]:
    """Run a program, with all that it starts, until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**MACHINE, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_heed_interrupts,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _heed_interrupts() -> None:
    """Undo what a shell does to a job in the background, which passes on to all that the job starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the processes whose command line names `folder`: those that serve what is in it."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or [])
    ]
