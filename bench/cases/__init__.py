"""What is measured, by the names that CASES takes. A case is given the rig and yields its figures."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from bench.cases import (
    documents,
    flags,
    freshness,
    identities,
    isolation,
    management,
    memory,
    rebuild,
    starting,
    statements,
    streams,
)
from bench.figures import Result
from bench.rig import Rig

Case = Callable[[Rig], Iterator[Result]]

CASES: Mapping[str, Case] = {
    "flags": flags.measure,
    "documents": documents.measure,
    "identities": identities.measure,
    "transient": identities.measure_transient,
    "ofrep": identities.measure_ofrep,
    "freshness": freshness.measure,
    "overrides": freshness.measure_overrides,
    "rebuild": rebuild.measure,
    "statements": statements.measure,
    "isolation": isolation.measure,
    "starting": starting.measure,
    "memory": memory.measure,
    "streams": streams.measure,
    "listing": management.measure_listing,
    "million": management.measure_million,
    "importing": management.measure_importing,
    "changing": management.measure_changing,
}
# Names for several: CASES takes them, too. What takes long, and no default run measures, stands in one.
GROUPS: Mapping[str, Sequence[str]] = {"management": ("listing", "million", "importing", "changing")}
DEFAULT = [name for name in CASES if not any(name in names for names in GROUPS.values())]


def expanded(names: Iterable[str]) -> list[str]:
    """Return the names of cases that these are, or that these groups have."""
    return [case for name in names for case in GROUPS.get(name, [name])]
