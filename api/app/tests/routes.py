"""The routes that the walks take, and what routes don't offer."""

from app.routes import METHODS, Route, all_routes

__all__ = ["METHODS", "Route", "api_routes", "refused_methods"]

# Gone as soon as there is a user, and so outside of every tenant: `accounts.initialisation` tests them.
_BEFORE_ANYONE = {"/api/v1/users/config/init/", "/api/v1/users/init/"}


def api_routes() -> list[Route]:
    """Return all routes but the first of an installation, and pages between which browsers are sent."""
    return [
        route
        for route in all_routes()
        if route.path not in _BEFORE_ANYONE and not route.path.startswith("/oidc/")
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
