"""What every request passes through, the SDKs' and the people's alike."""

from collections.abc import Callable
from io import BytesIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import is_valid_path
from django.utils.cache import add_never_cache_headers

from core.version import VERSION

Handler = Callable[[HttpRequest], HttpResponse]


class ResponseHeadersMiddleware:
    """Names the server's version, and forbids caching wherever a view hasn't said otherwise."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Flagsmith-Version"] = VERSION
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
            response["Pragma"] = "no-cache"
        return response


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


class BodyLimitMiddleware:
    """Refuses bodies above `MAX_REQUEST_BODY_BYTES` with 413 before anything reads them.

    Django's own limit holds for form data only. A body that comes in chunks has no length to look at: it is
    read up to the limit where the server marks its end, and refused with 411 where it doesn't.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = settings.MAX_REQUEST_BODY_BYTES
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            if not request.META.get("wsgi.input_terminated"):
                return JsonResponse({"detail": "A Content-Length is required."}, status=411)
            body = request.META["wsgi.input"].read(limit + 1)
            request._stream, request.META["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
            length = str(len(body))
        if length.isdecimal() and int(length) > limit:
            return JsonResponse({"detail": f"The request body is larger than {limit} bytes."}, status=413)
        return self.get_response(request)
