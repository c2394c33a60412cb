"""Requests per second, beside those of the bare application with bodies of the same size."""

import http.client
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.errors import CaseFailed, CaseSkipped
from bench.figures import RATIO, Result, Target
from bench.rig import Rig
from bench.servers import Server
from bench.wrk import Load

_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One request like those of the load: its answer has the size that the bare application is asked for."""

    path: str
    body: object = None


def compare(rig: Rig, case: str, load: Load, sample: Sample, *, at_least: float | None = None) -> Result:
    """Measure one load, never raising: a case that fails is a result too."""
    target = Target(at_least, is_at_least=True) if at_least else None
    try:
        return _compare(rig, case, load, sample, target)
    except CaseFailed as error:
        return Result(case, target=target, unit=RATIO, note=str(error), state="failed")
    except CaseSkipped as error:
        return Result(case, target=target, unit=RATIO, note=str(error), state="skipped")


def _compare(rig: Rig, case: str, load: Load, sample: Sample, target: Target | None) -> Result:
    size = _answer_bytes(rig.burgee, load.key, sample)
    for server, path in _alternating(rig, size, rounds=1):
        rig.drive(server, load, path=path, seconds=_WARM_UP_SECONDS)
    rounds: dict[int, list[_Round]] = {rig.bare.port: [], rig.burgee.port: []}
    for server, path in _alternating(rig, size, rounds=rig.rounds):
        cpu_before = server.cpu_seconds()
        report = rig.drive(server, load, path=path)
        cpu = (server.cpu_seconds() - cpu_before) / report.requests
        rounds[server.port].append(_Round(report.per_second, report.latencies[99.0], cpu * 1e6))
    bare, burgee = _middle(rounds[rig.bare.port]), _middle(rounds[rig.burgee.port])
    note = (
        f"{size:,} bytes; p99 {burgee.p99_ms:.1f} ms; "
        f"CPU {burgee.cpu_us:.0f} µs a request, bare {bare.cpu_us:.0f} µs"
    )
    share = burgee.per_second / bare.per_second
    return Result(case, share, RATIO, target, bare=bare.per_second, burgee=burgee.per_second, note=note)


@dataclass(frozen=True, slots=True)
class _Round:
    """What one round, or the middle of several, has shown; processor time is that of the server's workers."""

    per_second: float
    p99_ms: float
    cpu_us: float


def _middle(rounds: Sequence[_Round]) -> _Round:
    return _Round(
        median(each.per_second for each in rounds),
        median(each.p99_ms for each in rounds),
        median(each.cpu_us for each in rounds),
    )


def _alternating(rig: Rig, size: int, *, rounds: int) -> Iterator[tuple[Server, str]]:
    for _ in range(rounds):
        yield rig.bare, f"/{size}"
        yield rig.burgee, ""


def _answer_bytes(server: Server, key: str, sample: Sample) -> int:
    """Return how large the answer is.

    Raises:
        CaseSkipped: there is nothing at this path.
        CaseFailed: it isn't a 2xx.
    """
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"X-Environment-Key": key, "Content-Type": "application/json"}
    try:
        if sample.body is None:
            client.request("GET", sample.path, headers=headers)
        else:
            client.request("POST", sample.path, json.dumps(sample.body), headers)
        response = client.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise CaseFailed(f"{sample.path}: {error}") from error
    finally:
        client.close()
    if response.status == 404:
        raise CaseSkipped(f"{sample.path} is not there")
    if not 200 <= response.status < 300:
        raise CaseFailed(f"{sample.path}: {response.status} {body[:200].decode(errors='replace')}")
    return len(body)
