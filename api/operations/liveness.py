"""The probe for whether this process lives, answered on the event loop.

Not by a thread: all of them may wait for a database that says nothing, and a process that is killed for that
serves nobody any more, where it still could from memory.
"""

from core.asgi.request import Request
from core.version import VERSION

PATH = "/health/liveness"

_BODY = b'{"status":"ok"}'
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(_BODY)),
    (b"cache-control", b"max-age=0, no-cache, no-store, must-revalidate, private"),
    (b"flagsmith-version", VERSION.encode()),
]


async def liveness(request: Request) -> bool:
    """Answer, whatever host is asked for: probes know a process by its address."""
    method = request.scope["method"]
    if method not in {"GET", "HEAD"}:
        return False
    await request.send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await request.send({"type": "http.response.body", "body": b"" if method == "HEAD" else _BODY})
    return True
