"""Work that a request sets off and doesn't wait for.

It runs in a thread of the same process, soon and once. What fails is logged. A process that ends normally
finishes what is waiting; one that is killed loses it, so nothing belongs here that must not be lost.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from django.db import connections

logger = logging.getLogger(__name__)

_MOST_WAITING = 1000
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="background")
_free = threading.BoundedSemaphore(_MOST_WAITING)
_waiting: set[Future[None]] = set()


def soon(work: Callable[[], None]) -> None:
    """Do `work` outside of the request. Where a thousand are waiting, it is dropped and the log says so."""
    if not _free.acquire(blocking=False):
        logger.error("Too much is waiting to be done in the background: %s was dropped.", work)
        return
    future = _threads.submit(_do, work)
    _waiting.add(future)
    future.add_done_callback(_forget)


def wait_until_done(timeout_seconds: float) -> bool:
    """Wait for all that is to be done, and for what that asks in turn; tell whether nothing is left."""
    deadline = time.monotonic() + timeout_seconds
    while _waiting and time.monotonic() < deadline:
        wait(set(_waiting), deadline - time.monotonic())
    return not _waiting


def _do(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # whatever it is, nobody else would hear of it
        logger.exception("Work in the background failed.")
    finally:
        connections.close_all()  # no request ends here, which is when Django looks after its connections


def _forget(future: Future[None]) -> None:
    _waiting.discard(future)
    _free.release()
