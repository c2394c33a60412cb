"""The routes that the walks take, and what routes don't offer."""

from app.routes import METHODS, Route, all_routes

__all__ = ["METHODS", "Route", "api_routes", "refused_methods"]

# Tested beside their views. The first two are gone as soon as there is a user, and so outside of every
# tenant; the third is a page for people, which tells a link that is none on a page as well.
_ELSEWHERE = {
    "/api/v1/users/config/init/",
    "/api/v1/users/init/",
    "/password-reset/{uidb64}/{token}/",
}


def api_routes() -> list[Route]:
    """Return all routes but a few, and the pages between which browsers are sent to sign in."""
    return [
        route
        for route in all_routes()
        if route.path not in _ELSEWHERE and not route.path.startswith("/oidc/")
    ]


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
