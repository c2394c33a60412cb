"""What is measured, by the names that CASES takes. A case is given the rig and yields its figures."""

from collections.abc import Callable, Iterator, Mapping

from bench.cases import flags
from bench.figures import Result
from bench.rig import Rig

Case = Callable[[Rig], Iterator[Result]]

CASES: Mapping[str, Case] = {
    "flags": flags.measure,
}
