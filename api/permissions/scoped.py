"""Views that name, for each thing they do, the permission it needs."""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework import permissions
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated

from permissions.catalogue import ADMIN


class ScopedView(GenericAPIView):
    """A view inside a project or an environment, whose actions need permissions on it."""

    permission_classes = [IsAuthenticated]
    read_permission: ClassVar[str]
    write_permission: ClassVar[str] = ADMIN
    permission_by_action: ClassVar[Mapping[str, str]] = {}

    @property
    def reads(self) -> bool:
        return self.request.method in permissions.SAFE_METHODS

    @property
    def required_permission(self) -> str:
        """The key, of `permissions.catalogue`, that this request needs."""
        usual = self.read_permission if self.reads else self.write_permission
        return self.permission_by_action.get(getattr(self, "action", ""), usual)
