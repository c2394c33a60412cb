"""What every request passes through, the SDKs' and the people's alike."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
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
