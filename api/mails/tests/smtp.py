"""A mail server for tests: it speaks SMTP on a port of this machine and keeps what it is sent."""

import base64
import email
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from functools import cached_property

from tasks.services import run_due


class Mailbox:
    """What has arrived, for everyone."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.logins: list[tuple[str, str]] = []
        self.arrived: list[EmailMessage] = []

    @property
    def mails(self) -> list[EmailMessage]:
        """Every mail, once the jobs that send them have run."""
        run_due()
        return list(self.arrived)

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address in mail["To"]]

    def only(self) -> EmailMessage:
        """Return the one mail there is."""
        (mail,) = self.mails
        return mail

    def put(self, message: bytes) -> None:
        self.arrived.append(email.message_from_bytes(message, policy=default))


def text_of(mail: EmailMessage) -> str:
    """Return the body as people with a text-only reader see it."""
    body = mail.get_body(("plain",))
    assert body is not None
    return body.get_content()


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    return body.get_content()


def link_in(mail: EmailMessage) -> str:
    """Return the one link in a mail; both of its bodies have to have it."""
    (link,) = set(re.findall(r"https?://\S+/\S+", text_of(mail)))
    assert f'href="{link}"' in html_of(mail)
    return link


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    tls: ssl.SSLContext | None = None

    @cached_property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    is_encrypted = False

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline().strip():
            verb = line[:4].upper()
            if verb == b"QUIT":
                return self._say("221 Bye")
            if verb == b"STAR" and self.server.tls:
                self._say("220 Go ahead")
                self._encrypt(self.server.tls)
                continue
            if verb == b"EHLO":
                self._say("250-mailbox", *(f"250-{each}" for each in self._offers()))
            if verb == b"AUTH":
                _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                self.server.mailbox.logins.append((user, password))
                self._say("235 Welcome")
                continue
            if verb == b"DATA":
                self._say("354 Go ahead")
                self.server.mailbox.put(b"".join(self._lines_of_message()))
            self._say("250 OK")
        return None

    def _offers(self) -> list[str]:
        if not self.server.tls:
            return []
        return ["AUTH PLAIN"] if self.is_encrypted else ["STARTTLS"]

    def _encrypt(self, tls: ssl.SSLContext) -> None:
        self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.is_encrypted = True

    def _lines_of_message(self) -> Iterator[bytes]:
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            yield line.removeprefix(b".")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """Run a mail server and give its mailbox.

    Args:
        tls: with it, the server lets its clients encrypt, and then sign in, whoever they are.
    """
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.tls = tls
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.mailbox
        server.shutdown()
