"""From the command to the first answer of flags, with the database migrated and nothing kept from before."""

from collections.abc import Iterator
from statistics import median
from tempfile import mkdtemp

from bench import servers
from bench.figures import Result, Target
from bench.rig import Rig

_TIMES = 5


def measure(rig: Rig) -> Iterator[Result]:
    took = []
    for _ in range(_TIMES):
        environment = {**rig.environment, "SNAPSHOT_DIR": mkdtemp(dir=rig.folder)}
        log = rig.logs / "starting.log"
        with servers.burgee(environment, key=rig.world.hundred.key, log=log) as server:
            took.append(server.seconds_to_first_answer)
    note = f"median of {_TIMES}, longest {max(took):.1f} s"
    yield Result("start to first answer", median(took), "s", Target(3), note=note)
