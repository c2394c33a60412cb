"""Every route of the API, found where Django finds it, so that no list can forget one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from core.routes import readable

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, order=True)
class Route:
    """A path and one method that it offers: `GET /api/v1/projects/{project_pk}/features/`."""

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def anonymous(self) -> tuple[str, str]:
        """Method and path without what means nothing: names of parameters, and a slash at the end."""
        return self.method, re.sub(r"{\w+}", "{}", self.path).rstrip("/")

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def has_body(self) -> bool:
        return self.method in {"POST", "PUT", "PATCH"}

    def url(self, values: dict[str, Any]) -> str:
        return self.path.format(**values)


def all_routes() -> list[Route]:
    """Return all routes but the admin's, which has a walk of its own, and `/`, which leads there."""
    return sorted(
        Route(path, method)
        for path, view in _paths(get_resolver().url_patterns, "/")
        if path != "/" and not path.startswith("/admin/")
        for method in _methods(view)
    )


def _paths(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern.url_patterns, path)
        else:
            yield readable(path), pattern.callback


def _methods(view: Any) -> list[str]:
    if actions := getattr(view, "actions", None):
        return [method.upper() for method in actions if method.upper() in METHODS]
    view_class = getattr(view, "cls", None) or view.view_class
    offered = {name for name in view_class.http_method_names if hasattr(view_class, name)}
    return [method for method in METHODS if method.lower() in offered]
