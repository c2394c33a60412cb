"""gunicorn's configuration wherever it runs: `gunicorn --config python:app.gunicorn app.wsgi`."""

from pathlib import Path

from app.settings import common

bind = f"{common.APP_HOST}:{common.PORT}"
worker_class = "gthread"
workers = common.GUNICORN_WORKERS
threads = common.GUNICORN_THREADS
timeout = common.GUNICORN_TIMEOUT
loglevel = common.LOG_LEVEL.lower()
accesslog = common.ACCESS_LOG_LOCATION or None
# In memory where there is such a place: a worker's heartbeat must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
