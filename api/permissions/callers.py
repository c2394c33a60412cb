"""Whom a view is for."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from permissions.actors import Machine


class IsUser(BasePermission):
    """Lets people in. What machines may use says so: `IsAuthenticated`, as all of `ScopedView` does."""

    message = "This is for users: a master API key has no account."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user and request.user.is_authenticated and not isinstance(request.user, Machine))
