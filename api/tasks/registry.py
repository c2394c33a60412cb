"""What can be done in the background: tasks, by name. Apps declare them in their `tasks.py`.

    @task
    def send_report(*, project_id: int) -> None: ...

    @recurring(every=timedelta(days=1))
    def forget_old_reports() -> None: ...

A task takes ids and other small JSON values, by keyword. It may run twice: a worker may end after the work
is done and before that is noted. With `in_transaction=True` what it does in the database is done exactly
once, because it is committed together with that note.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Generic, ParamSpec, overload

from django.conf import settings

HIGHEST_PRIORITY, NORMAL_PRIORITY, LOWEST_PRIORITY = 0, 50, 100
# One of a worker's threads is kept for what is at least as urgent: it waits for nothing that takes long.
URGENT_PRIORITY = 10
# After so many failures in a row a recurring task is switched off, until somebody switches it on again.
RECURRING_ATTEMPTS = 4

P = ParamSpec("P")
Backoff = timedelta | Callable[[int], timedelta]


class GiveUp(Exception):
    """Raised by a task that would fail as often as it were run."""


@dataclass(frozen=True)
class Task(Generic[P]):
    """Something to do in the background. Calling it does it here and now.

    Attributes:
        name: `<app>.<function>`, as rows name it; renaming it leaves rows behind that nobody runs.
        priority: 0 is taken first, 100 last. For those up to `URGENT_PRIORITY` a thread is kept free.
        timeout: how long one attempt may take; then it is ended and counts as failed.
        attempts: how often it is begun at most, whether it fails or takes its worker with it.
        backoff: how long after the first failure it is run again, doubled with each further one; or what
            returns that, given how many attempts have failed.
        in_transaction: run in one transaction, which also notes that it is done.
        is_sealed: its arguments are encrypted in the row, and not shown.
        is_kept: a row stays, to be looked at, when it is done. One that died stays anyway.
        every: how often it recurs; None for what is enqueued.
        at: a moment at which it is due, for a task that recurs. Others are `every` apart from it.
    """

    name: str
    function: Callable[P, None]
    priority: int = NORMAL_PRIORITY
    timeout: timedelta = timedelta(seconds=60)
    attempts: int = 3
    backoff: Backoff | None = None
    in_transaction: bool = False
    is_sealed: bool = False
    is_kept: bool = True
    every: timedelta | None = None
    at: datetime = field(default=datetime(2000, 1, 1, tzinfo=UTC))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        self.function(*args, **kwargs)

    def delay_after(self, failures: int) -> timedelta:
        """Return how long to wait before the next attempt, when so many have failed."""
        if self.backoff is not None and not isinstance(self.backoff, timedelta):
            return self.backoff(failures)
        first = self.backoff or timedelta(seconds=settings.TASK_BACKOFF_DEFAULT_DELAY_SECONDS)
        return first * (1 << min(failures - 1, 20))


_tasks: dict[str, Task[...]] = {}


@overload
def task(function: Callable[P, None], /) -> Task[P]: ...
@overload
def task(
    *,
    name: str | None = None,
    priority: int = NORMAL_PRIORITY,
    timeout: timedelta = timedelta(seconds=60),
    attempts: int = 3,
    backoff: Backoff | None = None,
    in_transaction: bool = False,
    is_sealed: bool = False,
    is_kept: bool = True,
) -> Callable[[Callable[P, None]], Task[P]]: ...
def task(function: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
    """Make a function a task; see `Task` for what can be said of it."""

    def declare(function: Callable[P, None]) -> Task[P]:
        return _register(Task(name or _name_of(function), function, **options))

    return declare if function is None else declare(function)


def recurring(
    *,
    every: timedelta,
    at: time = time(0),
    timeout: timedelta = timedelta(minutes=30),
    name: str | None = None,
    priority: int = NORMAL_PRIORITY,
    in_transaction: bool = False,
) -> Callable[[Callable[[], None]], Task[[]]]:
    """Make a function a task that runs by itself, once each time it is due, however many workers there are.

    A run that fails is repeated up to three times before the next is due. Due times that pass while the last
    run goes on, or while no worker is there, are made up for by one.

    Args:
        at: a time of day, in UTC, at which it is due; the others are `every` apart from that.
    """

    def declare(function: Callable[[], None]) -> Task[[]]:
        return _register(
            Task(
                name or _name_of(function),
                function,
                priority=priority,
                timeout=timeout,
                attempts=RECURRING_ATTEMPTS,
                # 1/8, 2/8 and 4/8 of the time: an outage of some minutes doesn't switch off what runs daily.
                backoff=every / 8,
                in_transaction=in_transaction,
                every=every,
                at=datetime.combine(datetime(2000, 1, 1, tzinfo=UTC), at, UTC),
            )
        )

    return declare


def find(name: str) -> Task[...]:
    """Return the task of that name.

    Raises:
        LookupError: no app declares it.
    """
    if name not in _tasks:
        raise LookupError(f"There is no task {name!r}. Tasks are declared in an app's tasks.py.")
    return _tasks[name]


def names() -> list[str]:
    return list(_tasks)


def recurring_tasks() -> list[Task[...]]:
    return [each for each in _tasks.values() if each.every is not None]


def _register(declared: Task[P]) -> Task[P]:
    known = _tasks.get(declared.name)
    if known is not None and known.function.__qualname__ != declared.function.__qualname__:
        raise ValueError(f"Two tasks have the name {declared.name!r}.")
    if not HIGHEST_PRIORITY <= declared.priority <= LOWEST_PRIORITY:
        raise ValueError(f"{declared.name}: a priority is {HIGHEST_PRIORITY} to {LOWEST_PRIORITY}.")
    _tasks[declared.name] = declared
    return declared


def _name_of(function: Callable[..., None]) -> str:
    return f"{function.__module__.partition('.')[0]}.{function.__name__}"
