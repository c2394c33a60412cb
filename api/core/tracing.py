"""What the code says of its work to whoever traces it. Without traces it costs a look at a variable.

Who traces stands in `operations.tracing`. A trace that a request belongs to is passed on to whom this server
calls during it, traced or not: https://www.w3.org/TR/trace-context/
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from core.logs import context


@dataclass
class Call:
    """A call of another server.

    Attributes:
        headers: what to send along.
        status: what was answered; whoever calls notes it here.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None


class Tracer(Protocol):
    """Begins spans; each ends with its block, and failed if that raises."""

    def calling(self, method: str, host: str, port: int) -> AbstractContextManager[Call]: ...

    def working(self, task: str, attempt: int) -> AbstractContextManager[object]: ...


_tracer: Tracer | None = None


def trace_with(tracer: Tracer | None) -> None:
    """Have all that this process does told to a tracer; None: no longer."""
    global _tracer  # one process, one tracer
    _tracer = tracer


@contextmanager
def calling(method: str, host: str, port: int) -> Iterator[Call]:
    """Call another server inside the block."""
    if _tracer is not None:
        with _tracer.calling(method, host, port) as call:
            yield call
        return
    scope = context.current.get()
    traceparent = context.traceparent_of(scope) if scope is not None else ""
    yield Call({"traceparent": traceparent} if traceparent else {})


@contextmanager
def working(task: str, attempt: int) -> Iterator[None]:
    """Attempt a job inside the block."""
    if _tracer is None:
        yield
        return
    with _tracer.working(task, attempt):
        yield
