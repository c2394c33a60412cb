"""gunicorn's configuration wherever it runs: `gunicorn --config python:app.gunicorn app.asgi`."""

import gc
import os
import resource
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from core.asgi import departure
from core.logs.access import gunicorn_logger
from core.safety import refuse_unsafe_settings
from operations.metrics import folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings.production")
try:
    from app.settings import common

    refuse_unsafe_settings()
except ImproperlyConfigured as error:
    sys.exit(f"Burgee can't start: {error}")  # gunicorn would print a trace around it

bind = f"{common.APP_HOST}:{common.PORT}"
worker_class = "core.asgi.worker.Worker"
workers = common.GUNICORN_WORKERS
threads = common.GUNICORN_THREADS  # of the pool behind `app.asgi`
timeout = common.GUNICORN_TIMEOUT
# For what is at hand when a process is told to end, after it has gone on for a while.
graceful_timeout = common.GUNICORN_GRACEFUL_TIMEOUT + common.SHUTDOWN_DELAY_SECONDS
departure.prepare(common.SHUTDOWN_DELAY_SECONDS)
keepalive = common.GUNICORN_KEEP_ALIVE
loglevel = common.LOG_LEVEL.lower()
# What goes to the null device needn't be written first.
_wants_access_log = common.ACCESS_LOG_LOCATION not in ("", os.devnull) and not common.DISABLE_FRAMEWORK_LOGS
accesslog = common.ACCESS_LOG_LOCATION if _wants_access_log else None
access_log_format = common.ACCESS_LOG_FORMAT
if common.STATSD_HOST:
    statsd_host = f"{common.STATSD_HOST}:{common.STATSD_PORT}"
    statsd_prefix = common.STATSD_PREFIX
logger_class = gunicorn_logger(
    common.LOG_FORMAT, common.ACCESS_LOG_EXTRA_ITEMS, counts=bool(common.STATSD_HOST)
)
# In memory where there is such a place: a worker's heartbeat must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# The code is loaded once and its memory shared. It opens no connection and starts no thread before the fork.
preload_app = True
# It would be a thread in the process that forks, and a file in somebody's home.
control_socket_disable = True


# Before the application is loaded, whose metrics look for it.
_made_folder = folder.prepare() if common.PROMETHEUS_ENABLED else None


def when_ready(arbiter: Any) -> None:
    """Have SIGTERM tell load balancers first, by the readiness probe."""
    arbiter.handle_term = departure.announced_by(arbiter)


def pre_exec(arbiter: Any) -> None:
    """Prepare the start of a successor, at SIGUSR2: started as this one was, with figures of its own.

    gunicorn would start the file that `python -m gunicorn` has come to, whose folder then hides modules of
    Python's own.
    """
    arbiter.START_CTX["args"] = [sys.executable, "-m", "gunicorn", *sys.argv[1:]]
    if _made_folder is not None:
        arbiter.cfg.env_orig.pop(folder.VARIABLE, None)


def pre_fork(arbiter: Any, worker: Any) -> None:
    """Leave what is there to the collector's oldest generation, so that collecting doesn't copy its pages."""
    gc.collect()
    gc.freeze()


def post_fork(arbiter: Any, worker: Any) -> None:
    """Take all the connections that the system allows: its first answer is often 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def child_exit(arbiter: Any, worker: Any) -> None:
    """Forget what a worker that is gone was doing; what it has counted stays."""
    if common.PROMETHEUS_ENABLED:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_exit(arbiter: Any) -> None:
    if _made_folder is not None:
        folder.remove(_made_folder)
