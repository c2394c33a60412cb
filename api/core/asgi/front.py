"""What every request passes before either door: the lane of the SDKs, or Django.

Refuses what the two would read differently. WSGI folds `X_Environment_Key` into the real header, and of
two equal headers one door may believe the first and the other the last.
"""

from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv6Address, ip_address, ip_network

from core.asgi.bodies import BodyReader
from core.asgi.protocol import WHOLE_ANSWER
from core.asgi.request import Request
from core.asgi.responses import Refused
from core.asgi.types import Application, Headers, Message, Receive, Scope, Send
from core.logs import context

# Answers and returns True; or returns False, having sent nothing. May raise `Refused`.
Lane = Callable[[Request], Awaitable[bool]]
# Returns the headers that all answers to a request have in common.
Common = Callable[[Request], Iterable[tuple[bytes, bytes]]]
# Answers a request whose whole body this is. May raise `Refused`.
Door = Callable[[Scope, bytes, Send], Awaitable[None]]

# Of these a request has one. With two, who it is from or how long it is depends on who reads.
SINGLE_HEADERS = frozenset(
    {b"x-environment-key", b"authorization", b"host", b"content-length", b"content-type", b"x-api-key"}
)
# Names that need no further look. Others are served as well.
PLAIN_HEADERS = frozenset(
    {
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"authorization",
        b"baggage",
        b"cache-control",
        b"connection",
        b"content-length",
        b"content-type",
        b"cookie",
        b"dnt",
        b"flagsmith-application-name",
        b"flagsmith-application-version",
        b"flagsmith-sdk-user-agent",
        b"host",
        b"if-modified-since",
        b"if-none-match",
        b"keep-alive",
        b"origin",
        b"pragma",
        b"priority",
        b"referer",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"te",
        b"traceparent",
        b"tracestate",
        b"transfer-encoding",
        b"user-agent",
        b"x-api-key",
        b"x-burgee-min-revision",
        b"x-environment-key",
        b"x-requested-with",
    }
)
# What proxies say about the client, and what nobody else may say.
FORWARDED_HEADERS = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-real-ip",
    }
)

OPERATIONS = ("/health", "/metrics", "/version")


class Front:
    """The ASGI application: cleans the headers, bounds the body, and opens one of the doors.

    Args:
        lifespan: what starts and ends with the process.
        lane: asked first.
        django: answers whatever the lane doesn't.
        operations: answers, instead of that one, those who watch over the server. They don't wait behind
            requests that wait for the database.
        bodies: reads what is sent along.
        trusted_proxies: addresses and networks whose forwarded headers count.
        forwarded_headers: names that count as forwarded beside the usual ones.
        common: what a refusal needs so that browsers show it to the page that asked.
    """

    def __init__(
        self,
        *,
        lifespan: Application,
        lane: Lane,
        django: Door,
        operations: Door | None = None,
        bodies: BodyReader,
        trusted_proxies: Iterable[str],
        forwarded_headers: Iterable[bytes] = (),
        common: Common = lambda request: (),
    ) -> None:
        self._lifespan = lifespan
        self._lane = lane
        self.django = django
        self.operations = operations or django
        self._bodies = bodies
        self._is_trusted = TrustedPeers(trusted_proxies)
        self._forwarded = FORWARDED_HEADERS.union(forwarded_headers)
        self._common = common

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        listed = scope["headers"]
        headers: Headers = dict(listed)
        request = Request(scope, headers, receive, send, self._bodies)
        try:
            if len(headers) != len(listed) or not PLAIN_HEADERS.issuperset(headers):
                request.headers = self._clean(scope, headers)
                if context.HEADER in request.headers:
                    _return_id(request)
            if await self._lane(request):
                return
            body = await request.body()
            if body is not None:
                context.current.set(scope)  # of this request's task, and of Django's thread
                door = self.operations if scope["path"].startswith(OPERATIONS) else self.django
                await door(scope, body, send)
        except Refused as refusal:
            await refusal.send(send, [*self._common(request), _id_of(scope)])
        except Exception:
            context.current.set(
                scope
            )  # for whoever logs it; the lane logs little else, and needn't pay for that
            raise

    def _clean(self, scope: Scope, headers: Headers) -> Headers:
        distrusts = not self._forwarded.isdisjoint(headers) and not self._is_trusted(scope["client"])
        if not distrusts and len(headers) == len(scope["headers"]) and b"_" not in b"".join(headers):
            return headers
        kept = [
            (name, value)
            for name, value in scope["headers"]
            if b"_" not in name and not (distrusts and name in self._forwarded)
        ]
        headers = {}
        for name, value in kept:
            if name in headers and name in SINGLE_HEADERS:
                raise Refused(400, f"The header {name.decode('ascii')} is repeated.")
            headers[name] = value
        scope["headers"] = kept
        return headers


def _id_of(scope: Scope) -> tuple[bytes, bytes]:
    return context.HEADER, context.request_id_of(scope).encode()


def _return_id(request: Request) -> None:
    """Have the lane's answer say the id that the request brought. Django's answers say theirs themselves."""
    scope, send = request.scope, request.send
    header = _id_of(scope)

    async def with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), header]}
        await send(message)

    request.send = with_id
    extensions = scope.get("extensions") or {}
    whole = extensions.get(WHOLE_ANSWER)
    if whole is not None:
        line = b"%b: %b\r\n" % header
        extensions[WHOLE_ANSWER] = lambda status, head, body: whole(status, head + line, body)


class TrustedPeers:
    """Which addresses are our own proxies; `*` is all of them.

    Raises:
        ValueError: what is listed is neither an address nor a network.
    """

    _MOST_REMEMBERED = 4096

    def __init__(self, networks: Iterable[str]) -> None:
        networks = list(networks)
        self._all = "*" in networks
        self._networks = [ip_network(network) for network in networks if network != "*"]
        self._known: dict[str, bool] = {}

    def __call__(self, client: tuple[str, int] | None) -> bool:
        if self._all or client is None:  # a unix socket: whoever may connect to it is our own
            return True
        address = client[0]
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= self._MOST_REMEMBERED:
                self._known.clear()
            known = self._known[address] = self._look_up(address)
        return known

    def _look_up(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:  # a unix socket's path
            return True
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped  # as a socket that listens on both families names it
        return any(ip in network for network in self._networks)
