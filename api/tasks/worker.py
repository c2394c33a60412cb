"""Takes jobs and runs them: one thread looks after the queue and the clock, the others run what it takes.

A job that takes too long is ended by cutting its line to the database. If it doesn't hear that, as in a call
that never returns, the thread is left behind, its job is noted as failed, and a new thread takes its place.
Where that happens too often the worker stops, and says why. Nothing is raised in the thread from outside
(`PyThreadState_SetAsyncExc`): until a thread that waits takes it, all threads of the process pay for it, and
those that a debugger or a coverage tool traces stand still (CPython 3.11).

Nothing here is known about other workers. The database's rows keep them apart.
"""

import logging
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

import psycopg2
from django.db import DatabaseError, InterfaceError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core.postgres import cut, cut_off_after, line_of
from tasks import queue, registry, running, waking
from tasks.queue import LEASE, Lease
from tasks.registry import LOWEST_PRIORITY, URGENT_PRIORITY
from tasks.running import Failure

logger = logging.getLogger(__name__)

# How often it looks for leases that have ended and recurring tasks that are due; and says which it has.
_TIDY_SECONDS = 1.0
_SEE_SECONDS = 300.0
# How long it waits for a job to end that was told to, before it leaves the thread behind.
_HEED_SECONDS = 5.0
_MOST_LEFT_BEHIND = 8
# A server that takes a statement and says nothing must not keep it from looking after its jobs.
_DATABASE_SECONDS = 5.0
_CANCEL_SECONDS = 1.0
_IDLE_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 5.0


class Worker:
    """Runs jobs until it is told to stop. To be made after forking.

    Args:
        threads: how many jobs at the same time; where there are several, one of them is for urgent jobs.
        poll_seconds: how long it waits before it looks for jobs that other processes enqueued.
        most_at_once: how many it takes in one statement.
        lease: for how long others leave its jobs alone if nothing is heard of it.
    """

    def __init__(
        self, *, threads: int, poll_seconds: float, most_at_once: int = 10, lease: timedelta = LEASE
    ) -> None:
        self._poll_seconds = poll_seconds
        self._most_at_once = most_at_once
        self._lease = lease
        self._name = f"{socket.gethostname()} {os.getpid()}"
        self._wake = Event()
        self._stopping = False
        self._seats = [_Seat(self._wake) for _ in range(threads)]
        self._left_behind: list[_Seat] = []
        self._tidied_at = self._seen_at = self._renewed_at = -1e9
        self._failures = 0
        self.is_broken = False

    def run(self) -> None:
        """Take and run jobs, until `stop` is called from another thread or a signal's handler."""
        waking.listen(self._wake)
        try:
            while not self._stopping:
                self._wake.clear()
                if not self._do_a_round() and not self._stopping:
                    self._wake.wait(self._pause())
        finally:
            waking.forget(self._wake)
            connection.close()

    def stop(self) -> None:
        """Take no more jobs."""
        self._stopping = True
        self._wake.set()

    def finish(self, grace_seconds: float) -> None:
        """Wait for the jobs that run, and give back what doesn't end in time. After `run` has returned."""
        deadline = monotonic() + grace_seconds
        try:
            while self._busy() and monotonic() < deadline:
                self._wake.clear()
                self._look_after_jobs()
                self._wake.wait(min(0.2, max(deadline - monotonic(), 0)))
            self._give_back()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Jobs wait until their leases end: %s", error)
        finally:
            for seat in self._seats:
                seat.close()
            connection.close()

    def state(self) -> dict[str, int]:
        """Return what metrics show."""
        return {"running": len(self._busy()), "threads": len(self._seats), "stuck": len(self._left_behind)}

    def _do_a_round(self) -> bool:
        """Do what is to be done now; tell whether there may be more."""
        try:
            with cut_off_after(_DATABASE_SECONDS, connection):
                self._look_after_jobs()
                self._tidy()
                took_all = self._take()
        except Exception as error:  # noqa: BLE001  # a worker that ends at one is of no use
            # An error of the database, usually. Whatever it is, jobs are run again when it is over.
            self._failures += 1
            if self._failures == 1:
                logger.warning("Jobs can't be taken: %s", running.in_words(error))
            running.forget_connections()
            return False
        if self._failures:
            logger.warning("Jobs are taken again.")
            self._failures = 0
        return took_all

    def _pause(self) -> float:
        most = min(self._poll_seconds * (1 << min(self._failures, 10)), _LONGEST_PAUSE_SECONDS)
        return max(most, self._poll_seconds)

    def _take(self) -> bool:
        free = [seat for seat in self._seats if seat.lease is None]
        if not free or self.is_broken:
            return False
        # The last one that is free is for what is urgent.
        is_last = len(free) == 1 < len(self._seats)
        most = 1 if len(free) == 1 else min(len(free) - 1, self._most_at_once)
        leases = queue.take(
            registry.names(),
            most,
            worker=self._name,
            lease=self._lease,
            lowest_priority=URGENT_PRIORITY if is_last else LOWEST_PRIORITY,
        )
        for seat, lease in zip(free, leases, strict=False):
            seat.give(lease)
        return len(leases) == most

    def _tidy(self) -> None:
        now = monotonic()
        if now - self._seen_at >= _SEE_SECONDS:
            queue.see(registry.recurring_tasks())
            self._seen_at = now
        if now - self._tidied_at >= _TIDY_SECONDS:
            queue.enqueue_turns(registry.recurring_tasks())
            for state, task in queue.expire():
                logger.warning("%s is %s: %s", task, state, queue.WORKER_ENDED)
            self._tidied_at = now

    def _look_after_jobs(self) -> None:
        now = monotonic()
        for seat in self._busy():
            if seat.told_to_end_at is None and now >= seat.deadline:
                seat.end()
            elif seat.told_to_end_at is not None and now >= seat.told_to_end_at + _HEED_SECONDS:
                self._leave_behind(seat)
        if now - self._renewed_at >= self._lease.total_seconds() / 3:
            self._renew()
            self._renewed_at = now

    def _renew(self) -> None:
        held = {seat: lease for seat in self._busy() if (lease := seat.lease) is not None}
        if not held:
            return
        ours = queue.renew(list(held.values()), self._lease)
        for seat, lease in held.items():
            if lease.job_id not in ours and seat.lease is lease and seat.told_to_end_at is None:
                logger.warning("%s (%d) is ended: another worker has it.", lease.task, lease.job_id)
                seat.end()

    def _leave_behind(self, seat: "_Seat") -> None:
        lease = seat.lease
        if lease is None:
            return
        self._left_behind = [each for each in self._left_behind if each.lease is not None]
        self._left_behind.append(seat)
        self._seats[self._seats.index(seat)] = _Seat(self._wake)
        seat.close()
        running.note_failure(
            lease, Failure("It took too long and could not be ended; its thread is left behind.")
        )
        if len(self._left_behind) >= _MOST_LEFT_BEHIND and not self.is_broken:
            self.is_broken = True
            logger.error("Too many jobs could not be ended: this process takes no more. Restart it.")

    def _give_back(self) -> None:
        unfinished = {seat: lease for seat in self._busy() if (lease := seat.lease) is not None}
        queue.give_back(list(unfinished.values()))
        for seat, lease in unfinished.items():
            seat.end()
            logger.warning("%s (%d) was given back: it didn't end in time.", lease.task, lease.job_id)

    def _busy(self) -> "Sequence[_Seat]":
        return [seat for seat in self._seats if seat.lease is not None]


class _Seat:
    """A thread that runs one job after the other.

    Attributes:
        lease: of the job that it has.
        deadline, told_to_end_at: by the monotonic clock.
    """

    def __init__(self, done: Event) -> None:
        self.lease: Lease | None = None
        self.deadline = self._began = 0.0
        self.told_to_end_at: float | None = None
        self._done = done
        self._given: SimpleQueue[Lease | None] = SimpleQueue()
        self._ending = Lock()
        self._database: BaseDatabaseWrapper | None = None
        self._thread: Thread | None = None

    def give(self, lease: Lease) -> None:
        self._began = monotonic()
        self.deadline = self._began + registry.find(lease.task).timeout.total_seconds()
        self.told_to_end_at = None
        self.lease = lease
        if self._thread is None:
            self._thread = Thread(target=self._run, name="job", daemon=True)
            self._thread.start()
        self._given.put(lease)

    def end(self) -> None:
        """End the job at hand, if it can be ended."""
        with self._ending:
            if self.lease is None or self._thread is None:
                return
            self.told_to_end_at = monotonic()
            if self._database is not None and self._database.connection is not None:
                _cut_off(self._database)

    def close(self) -> None:
        """Let the thread end after the job at hand."""
        self._given.put(None)

    def _run(self) -> None:
        while (lease := self._next()) is not None:
            self._database = connections["default"]
            try:
                running.run(lease, began=self._began)
            except Exception:
                logger.exception("It couldn't be noted how %s (%d) went.", lease.task, lease.job_id)
                running.forget_connections()
            for each in connections.all(initialized_only=True):
                each.close_if_unusable_or_obsolete()
            with self._ending:
                self.lease = None
            self._done.set()
        connections.close_all()

    def _next(self) -> Lease | None:
        try:
            return self._given.get(timeout=_IDLE_SECONDS)
        except Empty:
            connections.close_all()  # nobody keeps one for nothing
            return self._given.get()


def _cut_off(database: BaseDatabaseWrapper) -> None:
    """End what a job is doing in the database: its statement there, and the connection here."""
    try:
        with line_of(database) as line:
            # It asks the server, by a connection of its own, which a frozen one doesn't answer.
            cancelling = Thread(target=_cancel, args=(database.connection,), daemon=True)
            cancelling.start()
            cancelling.join(_CANCEL_SECONDS)
            cut(line)
    except (OSError, psycopg2.Error, AttributeError):
        return  # it was closed meanwhile


def _cancel(raw: Any) -> None:
    with suppress(psycopg2.Error):
        raw.cancel()
