"""The ASGI entry point: one process, two doors. `gunicorn --config python:app.gunicorn app.asgi`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from wsgiref.types import WSGIApplication

from django.conf import settings
from django.urls import get_resolver

from app.wsgi import application as django_application
from core.asgi.bodies import BodyReader
from core.asgi.django_door import DjangoDoor
from core.asgi.front import Front
from core.asgi.lifespan import Lifespan, Part
from core.asgi.observed import Observed, Observer
from core.asgi.rehearsal import Rehearsals
from core.asgi.types import Application
from core.logs.access import RequestLines
from core.middleware import max_body_bytes
from operations import liveness
from operations.routes import Routes
from sdk import usage
from sdk.identity_reads import identity_reads
from sdk.lane.routes import sdk_lane
from sdk.live import LiveSnapshots
from sdk.live_identities import LiveIdentities
from sdk.store import snapshots
from sdk.streams.hub import Streams
from tasks.in_server import WorkerInServer


@dataclass(frozen=True)
class Server:
    """The ASGI application, and the front in the middle of it."""

    application: Application
    front: Front


def build(django_application: WSGIApplication) -> Server:
    """Return the server, with Django as the door behind the lane."""
    live, identities = LiveSnapshots(snapshots), LiveIdentities()
    streams = Streams(live)
    worker = WorkerInServer()
    rehearsals = Rehearsals(django_application)
    lane = sdk_lane(live, identities, streams, rehearsals, {liveness.PATH: liveness.liveness})
    parts: list[Part] = [
        live.running,
        identities.running,
        streams.running,
        usage.request_counts.running,
        *(buffer.running for _, buffer in usage.evaluation_counts),
        identity_reads.running,
        worker.running,
    ]
    django = DjangoDoor(
        django_application, threads=settings.GUNICORN_THREADS, max_waiting=settings.MAX_WAITING_REQUESTS
    )
    operations = DjangoDoor(django_application, threads=1, max_waiting=20)
    observers: list[Observer] = []
    if settings.LOG_REQUESTS:
        observers.append(RequestLines(lane.handler_of))
    route_of = Routes(lane.paths)
    if settings.PROMETHEUS_ENABLED:
        from operations.metrics.server import Metrics  # the library is loaded where it is wanted

        states: dict[str, Callable[[], Mapping[str, float]]] = {
            "": lambda: {**live.state(), **identities.state(), **streams.state()},
            "request_counts_": usage.request_counts.state,
            "evaluation_counts_": usage.evaluations_state,
            "identity_reads_": identity_reads.state,
            "jobs_": worker.state,
            "django_": django.state,
            "operations_": operations.state,
        }
        metrics = Metrics(route_of, states)
        parts.append(metrics.running)
        observers.append(metrics.observe)
    traces = None
    if settings.TRACES_ENABLED:
        from operations.tracing import TracedServer  # as above

        traces = TracedServer(route_of)
        parts.insert(0, traces.running)
        observers.append(traces.observe)
    front = Front(
        lifespan=Lifespan(parts),
        lane=lane,
        django=django,
        operations=operations,
        bodies=BodyReader(max_body_bytes),
        trusted_proxies=settings.FORWARDED_ALLOW_IPS,
        forwarded_headers=_forwarded_headers(),
        common=rehearsals.of_refusal,
    )
    application: Application = Observed(front, observers) if observers else front
    if settings.SENTRY_SDK_DSN:
        from operations.error_reports import LaneTransactions  # as above

        application = LaneTransactions(route_of).around(application)
    return Server(traces.around(application) if traces else application, front)


def _forwarded_headers() -> list[bytes]:
    """Return the header that tells that a request came over TLS, which an operator may have named."""
    header = settings.SECURE_PROXY_SSL_HEADER
    return [header[0].removeprefix("HTTP_").replace("_", "-").lower().encode()] if header else []


# Read now, once and before the workers are forked, and not by the first request in each of them.
get_resolver().url_patterns  # noqa: B018

application = build(django_application).application
