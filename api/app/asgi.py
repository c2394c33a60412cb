"""The ASGI entry point: one process, two doors. `gunicorn --config python:app.gunicorn app.asgi`."""

from wsgiref.types import WSGIApplication

from django.conf import settings
from django.urls import get_resolver

from app.wsgi import application as django_application
from core.asgi.bodies import BodyReader
from core.asgi.django_door import DjangoDoor
from core.asgi.front import Front
from core.asgi.lifespan import Lifespan
from core.asgi.rehearsal import Rehearsals
from core.middleware import max_body_bytes
from sdk import usage
from sdk.lane.routes import sdk_lane
from sdk.live import LiveSnapshots
from sdk.live_identities import LiveIdentities
from sdk.store import snapshots
from sdk.streams.hub import Streams
from tasks.in_server import WorkerInServer


def build(django_application: WSGIApplication) -> Front:
    """Return the ASGI application, with Django as the door behind the lane."""
    live, identities = LiveSnapshots(snapshots), LiveIdentities()
    streams = Streams(live)
    rehearsals = Rehearsals(django_application)
    return Front(
        lifespan=Lifespan(
            [
                live.running,
                identities.running,
                streams.running,
                usage.request_counts.running,
                usage.evaluation_counts.running,
                WorkerInServer().running,
            ]
        ),
        lane=sdk_lane(live, identities, streams, rehearsals),
        django=DjangoDoor(
            django_application, threads=settings.GUNICORN_THREADS, max_waiting=settings.MAX_WAITING_REQUESTS
        ),
        bodies=BodyReader(max_body_bytes),
        trusted_proxies=settings.FORWARDED_ALLOW_IPS,
        forwarded_headers=_forwarded_headers(),
        common=rehearsals.of_refusal,
    )


def _forwarded_headers() -> list[bytes]:
    """Return the header that tells that a request came over TLS, which an operator may have named."""
    header = settings.SECURE_PROXY_SSL_HEADER
    return [header[0].removeprefix("HTTP_").replace("_", "-").lower().encode()] if header else []


# Read now, once and before the workers are forked, and not by the first request in each of them.
get_resolver().url_patterns  # noqa: B018

application = build(django_application)
