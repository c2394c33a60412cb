"""Telling whoever counts them what becomes of tasks in this process."""

from typing import Protocol

from tasks.registry import Task


class Observer(Protocol):
    def enqueued(self, task: str) -> None: ...

    def finished(self, task: Task[...], *, succeeded: bool, seconds: float) -> None: ...


_observers: list[Observer] = []


def observe(observer: Observer) -> None:
    _observers.append(observer)


def enqueued(task: str) -> None:
    for observer in _observers:
        observer.enqueued(task)


def finished(task: Task[...], *, succeeded: bool, seconds: float) -> None:
    for observer in _observers:
        observer.finished(task, succeeded=succeeded, seconds=seconds)
