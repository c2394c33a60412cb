"""The worker in a thread of the server's process, for installations that run no task processor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread

from django.conf import settings

from tasks.worker import Worker

THREADS = 3
# gunicorn doesn't wait long for a worker to end; what isn't done then is given back.
_GRACE_SECONDS = 3.0


class WorkerInServer:
    """Runs jobs beside requests, with `TASK_RUN_METHOD=SEPARATE_THREAD`."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run jobs inside the block. After forking."""
        if settings.TASK_RUN_METHOD != "SEPARATE_THREAD":
            yield
            return
        poll_seconds = settings.TASK_PROCESSOR_SLEEP_INTERVAL_MS / 1000
        worker = self._worker = Worker(threads=THREADS, poll_seconds=poll_seconds)
        thread = Thread(target=worker.run, name="worker of jobs", daemon=True)
        thread.start()
        try:
            yield
        finally:
            worker.stop()
            await asyncio.to_thread(self._finish, worker, thread)

    def state(self) -> dict[str, int]:
        """Return what metrics show."""
        return self._worker.state() if self._worker is not None else {}

    @staticmethod
    def _finish(worker: Worker, thread: Thread) -> None:
        thread.join(_GRACE_SECONDS)
        worker.finish(_GRACE_SECONDS)
