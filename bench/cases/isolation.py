"""How the lane answers while management requests hold every thread that Django has."""

from collections.abc import Iterator

from bench.figures import Result
from bench.rig import Rig
from bench.servers import THREADS, WORKERS
from bench.wrk import Load


def measure(rig: Rig) -> Iterator[Result]:
    """Flags are read through few connections, alone and beside listings of 100 features."""
    place = rig.world.hundred
    reads = Load("/api/v1/flags/", place.key, connections=8, threads=1)
    listings = Load(
        f"/api/v1/projects/{place.project_id}/features/?page_size=999",
        place.key,
        connections=2 * WORKERS * THREADS,
        threads=1,
        headers=(f"Authorization: Token {rig.world.token}",),
    )
    seconds = max(3 * rig.seconds, 3)
    alone = rig.drive(rig.burgee, reads, seconds=seconds)
    with rig.under_load(rig.burgee, listings) as reports:
        beside = rig.drive(rig.burgee, reads, seconds=seconds)
    what = "flags while listings hold every thread of Django"
    note = (
        f"{beside.per_second:,.0f} reads/s beside {reports[0].per_second:,.0f} listings/s; alone "
        f"{alone.per_second:,.0f}/s, p50 {alone.latencies[50.0]:.1f} ms, p99 {alone.latencies[99.0]:.1f} ms"
    )
    yield Result(f"{what}, p50", beside.latencies[50.0], "ms", note=note)
    yield Result(f"{what}, p99", beside.latencies[99.0], "ms", note=note)
