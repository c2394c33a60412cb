"""What metrics show of tasks, in this process."""

from collections import Counter
from typing import Protocol

from tasks.registry import Task


class Observer(Protocol):
    def __call__(self, task: Task[...], *, succeeded: bool, seconds: float) -> None: ...


enqueued_by_task: Counter[str] = Counter()
observers: list[Observer] = []


def enqueued(task: str) -> None:
    enqueued_by_task[task] += 1


def finished(task: Task[...], *, succeeded: bool, seconds: float) -> None:
    for observe in observers:
        observe(task, succeeded=succeeded, seconds=seconds)
