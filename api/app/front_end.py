"""A dashboard that was built elsewhere, for browsers that ask for what isn't the server's own.

Its assets lie in `api/static`, where WhiteNoise finds them; its page is the template `webpack/index.html`.
Such a dashboard makes up addresses of its own and reads them by script, so each of them is answered with that
one page. What the server has a route for it never hides: those are looked for first.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import is_valid_path

PAGE = "webpack/index.html"
HOME = "/"  # which leads to the admin where there is no dashboard
# What is asked for here and isn't there is an error of a program, which must not get a page for an answer.
NOT_PAGES = frozenset(
    {
        "admin",
        "api",
        "config",
        "database",
        "favicon.ico",
        "health",
        "healthcheck",
        "metrics",
        "ofrep",
        "processor",
        "robots.txt",
        "sales-dashboard",
        "scheduler",
        "sse",
        "static",
        "version",
    }
)


class FrontEndMiddleware:
    """Answers with the dashboard's page, where there is one and it isn't switched off."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if settings.DISABLE_FLAGSMITH_UI:
            raise MiddlewareNotUsed
        try:
            self._page = get_template(PAGE)
        except TemplateDoesNotExist as error:
            raise MiddlewareNotUsed from error
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"} and is_page(request.path_info) and request.accepts("text/html"):
            return HttpResponse(self._page.render({}, request))
        return self.get_response(request)


def is_page(path: str) -> bool:
    """Whether a path is the dashboard's: none of the server's own, and not below them."""
    return path == HOME or (path.lstrip("/").partition("/")[0] not in NOT_PAGES and not is_valid_path(path))
