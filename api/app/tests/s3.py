"""A server that speaks as much of S3 as putting files into a bucket takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.tests.http_servers import QuietHandler, serving


@dataclass
class S3:
    """What was put: bodies and types by path, and whose key signed it for which region."""

    url: str = ""
    files: dict[str, tuple[bytes, str, str]] = field(default_factory=dict)
    signed_for: set[str] = field(default_factory=set)


class _Handler(QuietHandler):
    s3: S3

    def do_PUT(self) -> None:
        # AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/s3/aws4_request, …
        key, _, region, *_ = self.headers["Authorization"].partition("Credential=")[2].split("/")
        self.s3.signed_for.add(f"{key}@{region}")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            body = b"".join(_pieces(body))
        self.s3.files[self.path] = body, self.headers["Content-Type"], self.headers["Cache-Control"]
        self._answer(200)

    def do_HEAD(self) -> None:
        self._answer(404)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _pieces(body: bytes) -> Iterator[bytes]:
    """Yield what is in chunks, each with its length in hexadecimal digits before it."""
    while body:
        head, _, body = body.partition(b"\r\n")
        length = int(head.partition(b";")[0], 16)
        if not length:
            return
        yield body[:length]
        body = body[length + 2 :]


@contextmanager
def s3_server() -> Iterator[S3]:
    """Run a server and give what is in it."""
    s3 = S3()
    with serving(_Handler, s3=s3) as s3.url:
        yield s3
