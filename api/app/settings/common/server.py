"""The server's processes."""

from app.settings.environment import env

APP_HOST = env.text("APP_HOST", "0.0.0.0", help="Address to listen on.")  # noqa: S104  # containers need it
PORT = env.integer(
    "PORT", env.integer("APP_PORT", 8000, help="Read when PORT is unset."), help="Port to listen on."
)
GUNICORN_WORKERS = env.integer("GUNICORN_WORKERS", 1, help="Server processes.")
GUNICORN_THREADS = env.integer(
    "GUNICORN_THREADS", 1, help="Threads of each process, for what isn't answered from memory."
)
GUNICORN_TIMEOUT = env.integer(
    "GUNICORN_TIMEOUT", 30, help="Seconds after which a stuck process is replaced."
)
GUNICORN_GRACEFUL_TIMEOUT = env.integer(
    "GUNICORN_GRACEFUL_TIMEOUT",
    30,
    at_least=1,
    help="Seconds that requests at hand have to end in, when a process is told to end.",
)
SHUTDOWN_DELAY_SECONDS = env.integer(
    "SHUTDOWN_DELAY_SECONDS",
    0,
    help="Seconds to go on serving after SIGTERM while readiness fails, for load balancers that ask for it.",
)
GUNICORN_KEEP_ALIVE = env.integer(
    "GUNICORN_KEEP_ALIVE",
    2,
    help="Seconds an idle connection stays open; behind a load balancer, more than it keeps its own.",
)
MAX_WAITING_REQUESTS = env.integer(
    "MAX_WAITING_REQUESTS",
    200,
    help="Requests that may wait for a thread in each process; further ones get 503.",
)
MAX_STREAMS = env.integer(
    "MAX_STREAMS",
    20_000,
    help="Streams of changes that each process holds open; further ones get 503.",
)
ACCESS_LOG_LOCATION = env.text(
    "ACCESS_LOG_LOCATION", help="File of the access log, `-` for the output; empty: none."
)
ACCESS_LOG_FORMAT = env.text(
    "ACCESS_LOG_FORMAT",
    '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
    help="Format of its lines, in gunicorn's variables.",
)
STATSD_HOST = env.text("STATSD_HOST", help="Host of a StatsD server for gunicorn's metrics; empty: none.")
STATSD_PORT = env.integer("STATSD_PORT", 8125, help="Its port.")
STATSD_PREFIX = env.text("STATSD_PREFIX", "flagsmith.api", help="What the metrics' names begin with.")
