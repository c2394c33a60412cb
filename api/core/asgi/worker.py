"""The gunicorn worker: an event loop that serves ASGI over bounded connections."""

import asyncio
import signal
import sys
from typing import Any

from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker

from core.asgi import departure
from core.asgi.access import AccessHook
from core.asgi.protocol import BoundedProtocol, BoundedServer

# Of the time that gunicorn gives a worker to end; the rest is for what must be written before it.
_SHARE_FOR_REQUESTS = 0.8


class Worker(UvicornWorker):  # type: ignore[misc]  # it has no types
    """`gunicorn --worker-class core.asgi.worker.Worker app.asgi:application`.

    Forwarded headers are the business of `core.asgi.front`, access log lines and request metrics that of
    `core.asgi.access`, which is only put there when somebody wants them.
    """

    CONFIG_KWARGS = {
        "loop": "uvloop",
        "http": BoundedProtocol,
        "ws": "none",
        "interface": "asgi3",
        "lifespan": "on",
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        # What a request leaves in its context is not for the next of its connection.
        "reset_contextvars": True,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seconds = self.cfg.graceful_timeout - departure.delay_seconds
        self.config.timeout_graceful_shutdown = max(int(seconds * _SHARE_FOR_REQUESTS), 1)

    def init_signals(self) -> None:
        super().init_signals()
        # uvicorn ends in order at SIGTERM, then raises it again. By default the process would die of that
        # before gunicorn's own hooks and Python's have run.
        signal.signal(signal.SIGTERM, self.handle_exit)
        signal.signal(signal.SIGINT, self.handle_exit)

    async def _serve(self) -> None:
        is_observed = self.log.access_log_enabled or self.cfg.statsd_host
        self.config.app = AccessHook(self.wsgi, self.log.access) if is_observed else self.wsgi
        server = BoundedServer(self.config)
        server.should_exit = not self.alive  # told to end while it was booting
        # What gunicorn's master sends when it is itself told SIGINT or SIGQUIT.
        asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, setattr, server, "should_exit", True)
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
