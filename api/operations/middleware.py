"""For those who watch over the server: counting requests by route, and probes that know no host's name."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from core.asgi.django_door import ROUTE, SCOPE
from core.routes import readable


class RouteMiddleware:
    """Notes the route's template in the request's scope: of paths there are as many as ids."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not (settings.PROMETHEUS_ENABLED or settings.TRACES_ENABLED):
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        scope = request.META.get(SCOPE)
        if scope is not None and request.resolver_match is not None:
            scope[ROUTE] = _readable(request.resolver_match.route)


class ProbesMiddleware:
    """Lets probes ask for any host: they know a process by its address, and no answer repeats it."""

    _PATHS = ("/health",)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(self._PATHS):
            vars(request)["get_host"] = lambda: "localhost"
        return self.get_response(request)


_readable = lru_cache(maxsize=2048)(readable)
