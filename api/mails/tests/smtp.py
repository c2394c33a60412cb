"""A mail server for tests: it speaks SMTP on a port of this machine and keeps what it is sent."""

import email
import re
import socketserver
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
        self._arrived: list[EmailMessage] = []

    @property
    def mails(self) -> list[EmailMessage]:
        """Every mail, once the jobs that send them have run."""
        run_due()
        return list(self._arrived)

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address in mail["To"]]

    def only(self) -> EmailMessage:
        """Return the one mail there is."""
        (mail,) = self.mails
        return mail

    def put(self, message: bytes) -> None:
        self._arrived.append(email.message_from_bytes(message, policy=default))


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

    @cached_property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline().strip():
            verb = line[:4].upper()
            if verb == b"QUIT":
                return self._say("221 Bye")
            if verb == b"DATA":
                self._say("354 Go ahead")
                self.server.mailbox.put(b"".join(self._lines_of_message()))
            self._say("250 OK")
        return None

    def _lines_of_message(self) -> Iterator[bytes]:
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            yield line.removeprefix(b".")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Run a mail server and give its mailbox."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.mailbox
        server.shutdown()
