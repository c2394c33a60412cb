"""Building a large environment anew from its rows: what a change costs one worker of a host."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from django.db import connection

from bench.figures import Result, Target
from bench.rig import Rig
from sdk.snapshots import compile_snapshot
from sdk.sources import Source

_TIMES = 15


def measure(rig: Rig) -> Iterator[Result]:
    environment_id = rig.world.complex.id
    statements = 0

    def count(execute: Any, *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    took = []
    with connection.execute_wrapper(count):
        for _ in range(_TIMES):
            started_at = time.perf_counter()
            content = Source().newer_than(None, environment_id)
            assert content is not None  # noqa: S101  # nothing is held that it could be equal to
            compile_snapshot(content)
            took.append((time.perf_counter() - started_at) * 1000)
    what = "rebuild of 1,000 features and 100 segments"
    yield Result(what, median(took), "ms", Target(150), note=f"longest {max(took):.0f} ms of {_TIMES}")
    yield Result(f"{what}, SQL", statements / _TIMES, "statements", Target(12))
