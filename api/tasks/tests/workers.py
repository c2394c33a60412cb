"""Workers in processes of their own, which may be killed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.context import ForkProcess
from threading import Event

from django.db import connections

from tasks.models import Job
from tasks.worker import Worker


@contextmanager
def processes(number: int, *, threads: int = 4) -> Iterator[list[ForkProcess]]:
    """Run so many workers that know the tasks of the test, until the block ends."""

    def work() -> None:
        for each in connections.all():
            each.connection = None  # the parent's
        Worker(threads=threads, poll_seconds=0.02, lease=timedelta(seconds=0.4)).run()

    started = [ForkProcess(target=work) for _ in range(number)]
    for process in started:
        process.start()
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.join()


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, list(Job.objects.values())
        Event().wait(0.01)
