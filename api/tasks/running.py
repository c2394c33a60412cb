"""One attempt at one job, in the thread at hand."""

import logging
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psycopg2
from django.conf import settings
from django.db import Error, connections, transaction

from core import tracing
from core.causes import working_as
from core.masking import without_secrets
from tasks import figures, queue, registry
from tasks.queue import Lease
from tasks.registry import GiveUp, Task
from tasks.sealing import unsealed

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The job was given to another worker meanwhile: what was done in this transaction is undone."""


@dataclass(frozen=True)
class Failure:
    words: str
    is_hopeless: bool = False


def run(lease: Lease, *, began: float | None = None) -> None:
    """Run a job and note how it went. Errors are noted, logged, and not raised.

    Args:
        began: the moment from which its time is counted, by the monotonic clock; None: now.
    """
    task = registry.find(lease.task)
    began = monotonic() if began is None else began
    try:
        with working_as(task.name), tracing.working(task.name, lease.attempts):
            is_ours = _attempt(lease, task)
    except LeaseLost:
        is_ours = False
    except (Error, psycopg2.Error) as error:
        forget_connections()  # what is lost, or was cut because the time is up, notes nothing
        limit = task.timeout.total_seconds()
        is_late = monotonic() - began >= limit
        words = f"It took longer than {limit:g} seconds and was ended." if is_late else in_words(error)
        _note(lease, task, Failure(words), began)
        return
    except Exception as error:  # noqa: BLE001  # whatever it is, the row says so
        _note(lease, task, Failure(in_words(error), isinstance(error, GiveUp)), began)
        return
    if is_ours:
        figures.finished(task, succeeded=True, seconds=monotonic() - began)
    else:
        logger.warning("%s (%d) was finished after another worker had taken it.", lease.task, lease.job_id)


def note_failure(lease: Lease, failure: Failure) -> None:
    """Note that an attempt has failed, when it is to be tried again, and say so in the log."""
    task = registry.find(lease.task)
    state = queue.fail(
        lease, failure.words, delay=task.delay_after(lease.attempts), is_hopeless=failure.is_hopeless
    )
    if state is None:
        logger.warning("%s (%d) is another worker's by now.", lease.task, lease.job_id)
        return
    logger.log(
        logging.ERROR if state == "dead" else logging.WARNING,
        "%s (%d) failed at attempt %d of %d%s: %s",
        lease.task,
        lease.job_id,
        lease.attempts,
        lease.most_attempts,
        " and is dead" if state == "dead" else "",
        failure.words,
    )


def forget_connections() -> None:
    """Drop this thread's connections, whatever was going on there. They may have been left in the middle."""
    for each in connections.all(initialized_only=True):
        with suppress(Error, psycopg2.Error):
            if each.connection is not None:
                each.connection.close()
        del connections[each.alias]


def in_words(error: BaseException) -> str:
    """Return what went wrong and where in our code, without what may be secret in it."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(settings.API_DIR)
    ]
    places = [f"{Path(frame.filename).relative_to(settings.API_DIR)}:{frame.lineno}" for frame in own[-3:]]
    text = f"{type(error).__name__}: {error}".replace("\0", "")
    return without_secrets(f"{text[:2000]} ({', '.join(places)})" if places else text[:2000])


def _attempt(lease: Lease, task: Task[...]) -> bool:
    arguments = unsealed(lease.arguments) if task.is_sealed else lease.arguments
    if not task.in_transaction:
        task(**arguments)
        return queue.finish(lease, task)
    with transaction.atomic():
        task(**arguments)
        if not queue.finish(lease, task):
            raise LeaseLost
    return True


def _note(lease: Lease, task: Task[...], failure: Failure, began: float) -> None:
    figures.finished(task, succeeded=False, seconds=monotonic() - began)
    note_failure(lease, failure)
