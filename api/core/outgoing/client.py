"""Posting to an address that somebody gave, who may wish to see or reach what only this server can.

Addresses of the operator's own settings are called in the same way, but may be private.

- Connected is to the very address that was checked: a name that leads elsewhere a moment later leads nowhere.
- One private address among those of a name is enough to refuse it.
- Redirects aren't followed: where they lead, nobody has checked.
- All together has ten seconds, from the first question to the name server on; a server that sends a byte
  a second doesn't get more.
- Of the answer only the status is read, and when to come again: no page of an internal network is kept or
  shown.
- Proxies that the process's environment names are not asked: they could reach what must not be reached.

`requests` and what hardens it bring neither that limit of time nor what follows it, and most of what they
do bring (sessions, redirects, decoding) must not happen here. So this is the standard library's client, on
sockets that are opened here.
"""

import http.client
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address
from socket import AF_INET, AF_INET6
from urllib.parse import SplitResult, unquote, urlsplit

from django.utils.encoding import iri_to_uri

from core.outgoing.sockets import Deadline, PlainSocket, TlsSocket, connect, encrypt
from core.public_urls import addresses_of, may_be_called
from core.tracing import calling
from core.version import USER_AGENT

MOST_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """How a call was answered, and how long that took.

    Attributes:
        retry_after: what the header of that name says, as it was sent; empty without one.
    """

    status: int
    seconds: float
    retry_after: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class CallFailedError(Exception):
    """Nobody answered, or not in time. The message says what happened, in words for people."""


class TargetForbiddenError(CallFailedError):
    """The URL leads where this server doesn't call."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = "application/json",
    timeout_seconds: float = MOST_SECONDS,
    may_be_private: bool = False,
) -> Answer:
    """Post `body` to `url`, and return how that was answered, whatever the status.

    Args:
        may_be_private: the URL is one of the server's own settings, so it may lead into a private network.

    Raises:
        CallFailedError: there was no answer.
        TargetForbiddenError: the URL is none, or leads into a private network.
    """
    parts = _parts_of(url)
    deadline, begun_at = Deadline(timeout_seconds), time.monotonic()
    try:
        with (
            calling("POST", parts.hostname or "", _port(parts)) as call,
            _connected(parts, deadline, may_be_private=may_be_private) as connection,
        ):
            given = {"Content-Type": content_type, **call.headers, **(headers or {})}
            status, retry_after = _exchange(connection, parts, body, given)
            call.status = status
    except CallFailedError:
        raise
    except TimeoutError as error:
        raise CallFailedError(f"There was no answer within {timeout_seconds:g} seconds.") from error
    except ssl.SSLCertVerificationError as error:
        raise CallFailedError(f"Its certificate isn't trusted: {error.verify_message}.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CallFailedError(_in_words(error)) from error
    return Answer(status, time.monotonic() - begun_at, retry_after)


def _parts_of(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:  # an address in brackets that is none
        raise TargetForbiddenError("It is no URL.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise TargetForbiddenError("Only http and https URLs are called.")
    return parts


def _connected(parts: SplitResult, deadline: Deadline, *, may_be_private: bool) -> PlainSocket | TlsSocket:
    """Connect to the first address of the host that answers, if all of them may be called."""
    host, port = parts.hostname or "", _port(parts)
    addresses = addresses_of(host, port)
    if not addresses:
        raise CallFailedError("The host's name can't be resolved.")
    if not may_be_private and not all(may_be_called(host, address) for address in addresses):
        raise TargetForbiddenError("The host is in a private network.")
    failure: OSError = ConnectionError()
    different = list(dict.fromkeys(addresses))
    for number, address in enumerate(different):
        family = AF_INET6 if isinstance(address, IPv6Address) else AF_INET
        # One that says nothing leaves time for the others.
        seconds = deadline.seconds_left() / (len(different) - number)
        try:
            connection = connect((str(address), port), family, deadline, seconds)
        except OSError as error:
            failure = error
            continue
        if parts.scheme == "http":
            return connection
        try:
            return encrypt(connection, host, _tls())
        except BaseException:
            connection.close()
            raise
    raise failure


def _exchange(
    connection: PlainSocket | TlsSocket, parts: SplitResult, body: bytes, headers: Mapping[str, str]
) -> tuple[int, str]:
    """Send the request, and return the status that it is answered with, and its `Retry-After`."""
    client = http.client.HTTPConnection(parts.hostname or "", _port(parts))
    client.default_port = _usual_port(parts)  # which is left out of the Host header
    client.sock = connection
    target = iri_to_uri(parts._replace(scheme="", netloc="", fragment="").geturl()) or "/"
    given = {"User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close", **_credentials(parts)}
    client.request("POST", target if target.startswith("/") else f"/{target}", body, {**given, **headers})
    with client.getresponse() as response:
        return response.status, response.getheader("Retry-After", "")


def _port(parts: SplitResult) -> int:
    return parts.port or _usual_port(parts)


def _usual_port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _credentials(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    text = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.sslsocket_class = TlsSocket
    return context


def _in_words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused."
    if isinstance(error, ssl.SSLError):
        return "No encrypted connection could be made."
    if isinstance(error, http.client.HTTPException):
        return "What answered doesn't speak HTTP." if str(error) else "The connection was closed."
    return "No connection could be made."
