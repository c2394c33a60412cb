"""What is measured, by the names that CASES takes. A case is given the rig and yields its figures."""

from collections.abc import Callable, Iterator, Mapping

from bench.cases import (
    documents,
    flags,
    freshness,
    identities,
    isolation,
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
}
