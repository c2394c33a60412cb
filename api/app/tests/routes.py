"""Every route of the API, found where Django finds it, so that no list can forget one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


# Gone as soon as there is a user, and so outside of every tenant: `accounts.initialisation` tests them.
_BEFORE_ANYONE = {"/api/v1/users/config/init/", "/api/v1/users/init/"}


@dataclass(frozen=True, order=True)
class Route:
    """A path and one method that it offers: `GET /api/v1/projects/{project_pk}/features/`."""

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def has_body(self) -> bool:
        return self.method in {"POST", "PUT", "PATCH"}

    def url(self, values: dict[str, Any]) -> str:
        return self.path.format(**values)


def api_routes() -> list[Route]:
    """Return all routes but the admin's, which has a walk of its own, `/`, which leads there, and the first
    of an installation.
    """
    return sorted(
        Route(path, method)
        for path, view in _paths(get_resolver().url_patterns, "/")
        if path != "/" and not path.startswith("/admin/") and path not in _BEFORE_ANYONE
        for method in _methods(view)
    )


def refused_methods() -> list[Route]:
    """Return, for each path, a method that it doesn't offer."""
    offered: dict[str, set[str]] = {}
    for route in api_routes():
        offered.setdefault(route.path, set()).add(route.method)
    return [
        Route(path, next(method for method in reversed(METHODS) if method not in methods))
        for path, methods in sorted(offered.items())
        if len(methods) < len(METHODS)
    ]


def _paths(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern.url_patterns, path)
        else:
            yield (
                re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", simplify_regex(path).replace("//", "/")),
                pattern.callback,
            )


def _methods(view: Any) -> list[str]:
    if actions := getattr(view, "actions", None):
        return [method.upper() for method in actions if method.upper() in METHODS]
    view_class = getattr(view, "cls", None) or view.view_class
    return [method for method in METHODS if hasattr(view_class, method.lower())]
