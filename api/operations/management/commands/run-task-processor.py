"""`manage.py run-task-processor`: a process that runs jobs and nothing else."""

import signal
from argparse import ArgumentParser
from contextlib import ExitStack
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.safety import refuse_unsafe_settings
from operations.probes import ProbeServer
from tasks.worker import Worker

_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class Command(BaseCommand):
    help = "Run jobs until told to stop, by SIGTERM or Ctrl-C; then finish those at hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--numthreads",
            type=int,
            default=settings.TASK_PROCESSOR_NUM_THREADS,
            help="how many jobs run at the same time",
        )
        parser.add_argument(
            "--sleepintervalms",
            type=int,
            default=settings.TASK_PROCESSOR_SLEEP_INTERVAL_MS,
            help="milliseconds between two looks for jobs",
        )
        parser.add_argument(
            "--graceperiodms",
            type=int,
            default=settings.TASK_PROCESSOR_GRACE_PERIOD_MS,
            help="milliseconds that jobs have to end in",
        )
        parser.add_argument(
            "--queuepopsize",
            type=int,
            default=settings.TASK_PROCESSOR_QUEUE_POP_SIZE,
            help="most jobs that are taken at once",
        )
        parser.add_argument(
            "--port", type=int, help="answer probes and /metrics/ there, for those who watch over containers"
        )

    def handle(
        self,
        *args: Any,
        numthreads: int,
        sleepintervalms: int,
        graceperiodms: int,
        queuepopsize: int,
        port: int | None = None,
        **options: Any,
    ) -> None:
        if min(numthreads, sleepintervalms, queuepopsize) < 1 or graceperiodms < 0:
            raise CommandError("These numbers are at least 1, and the grace period at least 0.")
        refuse_unsafe_settings()
        # Waited for below, and not handled: a handler could come in the middle of what it wants to tell.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        worker = Worker(threads=numthreads, poll_seconds=sleepintervalms / 1000, most_at_once=queuepopsize)
        thread = Thread(target=worker.run, name="task processor", daemon=True)
        with ExitStack() as stack:
            if settings.TRACES_ENABLED:
                from operations.tracing import Tracing  # the library is loaded where it is wanted

                tracing = Tracing()
                tracing.start()
                stack.callback(tracing.stop)
            if port is not None:
                stack.enter_context(_probes(port, worker))
            thread.start()
            self._say(f"Running jobs in {numthreads} threads.")
            while not worker.is_broken and signal.sigtimedwait(_SIGNALS, 1) is None:
                pass
            worker.stop()
            thread.join(graceperiodms / 1000)
            worker.finish(graceperiodms / 1000)
        if worker.is_broken:
            raise CommandError("Jobs could not be ended.")
        self._say("Stopped.")

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def _probes(port: int, worker: Worker) -> ProbeServer:
    try:
        return ProbeServer(settings.APP_HOST, port, lives=lambda: not worker.is_broken)
    except OSError as error:
        raise CommandError(f"Port {port} can't be used: {error.strerror}") from error
