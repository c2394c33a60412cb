"""wrk, the load tool: found or installed, run, and its report read."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import CannotRun, CaseFailed

_SCRIPTS = Path(__file__).parent / "lua"
_TIMEOUT = "10s"
_AT_MOST_SECONDS = 600.0
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """Requests of one kind, from `connections` at a time, each sent when the one before was answered.

    Attributes:
        script: a file in lua/ that makes each request anew; it is given the path, the key and `arguments`.
        is_kept_alive: whether connections are used again, or each request opens one.
    """

    path: str
    key: str
    script: str = ""
    arguments: tuple[str, ...] = ()
    is_kept_alive: bool = True
    connections: int = 64
    threads: int = 2
    headers: tuple[str, ...] = ()

    def command(self, wrk: str, url: str, *, path: str, seconds: float, seed: int) -> list[str]:
        headers = [f"X-Environment-Key: {self.key}", *self.headers]
        if not self.is_kept_alive:
            headers.append("Connection: close")
        size = [f"-t{self.threads}", f"-c{self.connections}", f"-d{max(round(seconds), 1)}s"]
        options = [
            *size,
            "--latency",
            "--timeout",
            _TIMEOUT,
            *(part for header in headers for part in ("-H", header)),
        ]
        if not self.script:
            return [wrk, *options, url + path]
        return [wrk, *options, "-s", str(_SCRIPTS / self.script), url, "--", path, str(seed), *self.arguments]


@dataclass(frozen=True, slots=True)
class Report:
    """What wrk found; latencies in milliseconds."""

    requests: int
    per_second: float
    latencies: dict[float, float]
    errors: tuple[str, ...]


def find() -> str:
    """Return wrk's path, installing it where that needs nobody's password.

    Raises:
        CannotRun: it isn't there and can't be installed from here.
    """
    if found := shutil.which("wrk"):
        return found
    for command in _installers():
        print(f"wrk isn't here. Installing it: {' '.join(command)}", flush=True)
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            break
    if found := shutil.which("wrk"):
        return found
    how = "brew install wrk" if sys.platform == "darwin" else "sudo apt-get install wrk"
    raise CannotRun(f"The load tool wrk is needed and isn't installed. Install it: {how}")


def _installers() -> list[list[str]]:
    """Return the commands that install wrk, where this user may run them."""
    if sys.platform == "darwin":
        return [["brew", "install", "--quiet", "wrk"]] if shutil.which("brew") else []
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "wrk"]]
    return []


def run(wrk: str, url: str, load: Load, *, seconds: float, path: str = "", seed: int = 0) -> Report:
    """Drive a server and return what it answered.

    Args:
        path: where to, instead of the load's own path.
        seed: what a script draws from; runs with different seeds send different requests.

    Raises:
        CaseFailed: an answer wasn't 2xx, or a connection failed.
    """
    command = load.command(wrk, url, path=path or load.path, seconds=seconds, seed=seed)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if ended.returncode:
        raise CaseFailed(f"wrk: {(ended.stderr or ended.stdout).strip()}")
    report = parse(ended.stdout)
    if report.errors:
        raise CaseFailed(f"{path or load.path}: {'; '.join(report.errors)}")
    return report


class Running:
    """A load that goes on beside something else, until it is stopped."""

    def __init__(self, wrk: str, url: str, load: Load, *, seed: int) -> None:
        command = load.command(wrk, url, path=load.path, seconds=_AT_MOST_SECONDS, seed=seed)
        self._path = load.path
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop(self) -> Report:
        """End it and return what was answered.

        Raises:
            CaseFailed: as `run`.
        """
        self._process.send_signal(signal.SIGINT)  # wrk then reports
        output, errors = self._process.communicate(timeout=60)
        report = parse(output or errors)
        if report.errors:
            raise CaseFailed(f"{self._path}: {'; '.join(report.errors)}")
        return report

    def abandon(self) -> None:
        self._process.kill()
        self._process.communicate()


def parse(text: str) -> Report:
    """Read wrk's report.

    Raises:
        CaseFailed: it isn't one.
    """
    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if requests is None or rate is None:
        raise CaseFailed(f"wrk's report can't be read: {text.strip()[:200]}")
    latencies = {
        float(percent): float(value) * _MILLISECONDS[unit]
        for percent, value, unit in re.findall(r"^\s+([\d.]+)%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    }
    return Report(int(requests[1]), float(rate[1]), latencies, tuple(_errors(text, int(requests[1]))))


def _errors(text: str, requests: int) -> Sequence[str]:
    errors = []
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)", text):
        errors.append(f"{bad[1]} of {requests} answers were refusals")
    if lost := re.search(r"Socket errors: (.*)", text):
        errors.append(f"connections failed ({lost[1].strip()})")
    if not requests:
        errors.append("nothing was answered")
    return errors
