"""Servers of other makers, as far as tests need them, that answer by HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class QuietHandler(BaseHTTPRequestHandler):
    """Answers requests, and says nothing of them on standard error."""

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving(handler: type[QuietHandler], **attributes: Any) -> Iterator[str]:
    """Serve until the block ends, by a handler with these attributes; give the address, `http://127.0.0.1:…`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), attributes)) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
