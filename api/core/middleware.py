"""What every request passes through, the SDKs' and the people's alike."""

from collections.abc import Callable
from io import BytesIO
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import is_valid_path

from core.addresses import client_address
from core.errors import forbidden, unauthorised
from core.service_routes.key import has_key
from core.version import VERSION

Handler = Callable[[HttpRequest], HttpResponse]

# A variable of the WSGI environment that no client can set; see `core.asgi.rehearsal`.
REHEARSAL = "burgee.rehearsal"

_NEVER_CACHE = {
    "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private",
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",  # past; always the same, so that equal answers are equal
    "Pragma": "no-cache",
}
_HEADERS_OF_CONTENT = ("Content-Type", "Content-Length")


class ResponseHeadersMiddleware:
    """Names the server's version, and forbids caching wherever a view hasn't said otherwise."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Flagsmith-Version"] = VERSION
        if settings.ADD_NEVER_CACHE_HEADERS and "Cache-Control" not in response:
            for name, value in _NEVER_CACHE.items():
                response[name] = value
        if response.status_code == 304:
            for name in _HEADERS_OF_CONTENT:
                del response[name]
        return response


class RehearsalMiddleware:
    """Inside all others that add to answers: answers nothing where only what they add is asked."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if REHEARSAL not in request.META:
            return self.get_response(request)
        return HttpResponse(headers=request.META.pop(REHEARSAL))


class OptionalSlashMiddleware:
    """Serves a path with and without its trailing slash.

    Directly, because a redirect would turn a POST into a GET, and probes do not follow redirects.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        other = path[:-1] if path.endswith("/") else f"{path}/"
        if other and not is_valid_path(path) and is_valid_path(other):
            request.path_info = other
            request.path = request.path[:-1] if path.endswith("/") else f"{request.path}/"
        return self.get_response(request)


class AdminAddressesMiddleware:
    """Refuses the admin's pages to addresses that `ALLOWED_ADMIN_IP_ADDRESSES` doesn't list.

    Raises:
        ImproperlyConfigured: what it lists is neither an address nor a network.
    """

    _PATHS = ("/admin", "/sales-dashboard")

    def __init__(self, get_response: Handler) -> None:
        if not settings.ALLOWED_ADMIN_IP_ADDRESSES:
            raise MiddlewareNotUsed
        self.get_response = get_response
        try:
            self._networks = [ip_network(each) for each in settings.ALLOWED_ADMIN_IP_ADDRESSES]
        except ValueError as error:
            raise ImproperlyConfigured(
                f"ALLOWED_ADMIN_IP_ADDRESSES is not a valid list of addresses and networks: {error}"
            ) from error

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(self._PATHS) and not self._lists(client_address(request)):
            return forbidden(request)
        return self.get_response(request)

    def _lists(self, address: str) -> bool:
        try:
            client = ip_address(address)
        except ValueError:  # nobody knows who this is
            return False
        if isinstance(client, IPv6Address) and client.ipv4_mapped:
            client = client.ipv4_mapped  # as a socket that listens on both families names it
        return any(client in network for network in self._networks)


class ServiceKeyMiddleware:
    """With `REQUIRE_AUTH_KEY`, refuses whoever comes without the service key; SDKs have keys of their own."""

    _HEALTH = "/health"

    def __init__(self, get_response: Handler) -> None:
        if not settings.REQUIRE_AUTH_KEY:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        is_open = request.path_info.startswith(self._HEALTH) or getattr(
            getattr(view, "cls", None), "is_for_sdks", False
        )
        return None if is_open or has_key(request) else unauthorised(request, settings.AUTH_HEADER)


def max_body_bytes(path: str) -> int:
    """Return how large the body of a request to `path` may be: files may be larger than what SDKs send."""
    if path.startswith("/api/v1/features/feature-import/"):
        return settings.MAX_IMPORT_BODY_BYTES
    return settings.MAX_REQUEST_BODY_BYTES


class BodyLimitMiddleware:
    """Refuses bodies above `max_body_bytes` with 413 before anything keeps them in memory.

    Django's own limit holds for form data only. A body that comes in chunks has no length to look at: it is
    read up to the limit where the server marks its end, and refused with 411 where it doesn't.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = max_body_bytes(request.path)
        source = request.META.get("wsgi.input")
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            if source is None or not request.META.get("wsgi.input_terminated"):
                return JsonResponse({"detail": "A Content-Length is required."}, status=411)
            body = source.read(limit + 1)
            if len(body) > limit:
                return _too_large(limit, source, unread=_MOST_DISCARDED_LIMITS * limit)
            request._stream, request.META["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        elif length.isdecimal() and int(length) > limit:
            return _too_large(limit, source, unread=int(length))
        return self.get_response(request)


# Many clients look at the answer only when they have sent everything, and lose it if the server hangs up.
_MOST_DISCARDED_LIMITS = 10
_PIECE_BYTES = 64 * 1024


def _too_large(limit: int, source: Any, *, unread: int) -> JsonResponse:
    """Read what is left of a body, as far as that is reasonable, keep none of it, and refuse."""
    left = min(unread, _MOST_DISCARDED_LIMITS * limit) if source is not None else 0
    while left > 0 and (piece := source.read(min(left, _PIECE_BYTES))):
        left -= len(piece)
    return JsonResponse({"detail": f"The request body is larger than {limit} bytes."}, status=413)
