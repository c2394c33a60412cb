"""Memory of the master and its workers, as the sum of proportional set sizes: shared pages count once."""

import time
from collections.abc import Iterator, Sequence
from statistics import mean
from tempfile import mkdtemp

import psutil

from bench import servers
from bench.errors import CaseFailed, CaseSkipped
from bench.figures import Result, Target
from bench.rig import Rig
from bench.servers import Server
from bench.watching import one_connection_each
from bench.wrk import Load
from environments.models import Environment
from sdk.snapshots import compile_snapshot
from sdk.sources import Source

_SETTLE_SECONDS = 1.0


def measure(rig: Rig) -> Iterator[Result]:
    """One, 100 and 1,000 environments of 100 features, each read through both workers."""
    if not psutil.LINUX:
        raise CaseSkipped("only Linux tells proportional set sizes")
    keys = rig.world.many
    estimate = _estimated_bytes(keys[0])
    environment = {
        **rig.environment,
        "SNAPSHOT_DIR": mkdtemp(dir=rig.folder),
        # All of them shall be there, and none leave for another.
        "SNAPSHOT_MEMORY_BYTES": str(2 * estimate * len(keys)),
    }
    targets = {1: Target(200), 100: None, 1000: Target(1000)}
    with servers.burgee(environment, key=keys[0], log=rig.logs / "memory.log") as server:
        loaded = 0
        for number, target in targets.items():
            _load(server, keys[loaded:number])
            loaded = number
            rig.drive(server, Load("/api/v1/flags/", keys[0]))
            time.sleep(_SETTLE_SECONDS)
            master, *workers = (pss_mb(each) for each in (server.master, *server.workers))
            note = (
                f"master {master:.0f} MB, each worker {mean(workers):.0f} MB; "
                f"its snapshots by its own estimate {estimate * number / 1e6:.0f} MB"
            )
            environments = "1 environment" if number == 1 else f"{number:,} environments"
            what = f"memory of master and {len(workers)} workers, {environments} of 100 features"
            yield Result(what, master + sum(workers), "MB", target, note=note)


def _load(server: Server, keys: Sequence[str]) -> None:
    with one_connection_each(server) as connections:
        for key in keys:
            for connection in connections:
                connection.request("GET", "/api/v1/flags/", headers={"X-Environment-Key": key})
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    raise CaseFailed(f"flags/ answers {response.status}")


def _estimated_bytes(key: str) -> int:
    """Return what the server thinks that one of these environments takes."""
    environment_id = Environment.objects.get(api_key=key).pk
    content = Source().newer_than(None, environment_id)
    assert content is not None  # noqa: S101  # nothing is held that it could be equal to
    return compile_snapshot(content).size_bytes


def pss_mb(process: psutil.Process) -> float:
    """Return what a process takes; what it shares with n others counts as an n-th. Linux only."""
    return float(process.memory_full_info().pss) / 1e6
