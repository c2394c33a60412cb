"""The environment document, which servers poll that evaluate by themselves."""

from collections.abc import Iterator

from bench.cases.rates import Sample, compare
from bench.figures import Result
from bench.rig import Rig
from bench.wrk import Load

_PATH = "/api/v1/environment-document/"


def measure(rig: Rig) -> Iterator[Result]:
    load = Load(_PATH, rig.world.hundred.server_key)
    yield compare(rig, "environment document, 100 features", load, Sample(_PATH), at_least=0.8)
