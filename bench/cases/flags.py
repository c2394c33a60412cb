"""`flags/` with 10, 100 and 1,000 features; what most SDKs poll."""

from collections.abc import Iterator

from bench.cases.rates import Sample, compare
from bench.figures import Result
from bench.rig import Rig
from bench.wrk import Load

_PATH = "/api/v1/flags/"


def measure(rig: Rig) -> Iterator[Result]:
    world = rig.world
    yield compare(rig, "flags, 10 features", Load(_PATH, world.ten.key), Sample(_PATH))
    hundred = Load(_PATH, world.hundred.key)
    yield compare(rig, "flags, 100 features", hundred, Sample(_PATH), at_least=0.8)
    connecting = Load(_PATH, world.hundred.key, is_kept_alive=False)
    yield compare(
        rig, "flags, 100 features, a connection per request", connecting, Sample(_PATH), at_least=0.8
    )
    yield compare(rig, "flags, 1,000 features", Load(_PATH, world.thousand.key), Sample(_PATH), at_least=0.8)
