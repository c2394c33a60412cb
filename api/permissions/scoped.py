"""Views that name, for each thing they do, the permission it needs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import permissions
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated

from core.views import ManagedView
from permissions.access import may, may_for_some_features
from permissions.catalogue import ADMIN


class ScopedView(ManagedView, GenericAPIView):
    """A view inside a project or an environment, whose actions need permissions on it.

    A view with `asks_per_feature` lets everyone in who holds the permission for any feature, and has to
    ask again, by the feature's tags, as soon as it knows the feature.
    """

    permission_classes = [IsAuthenticated]
    read_permission: ClassVar[str]
    write_permission: ClassVar[str] = ADMIN
    permission_by_action: ClassVar[Mapping[str, str]] = {}
    asks_per_feature: ClassVar[bool] = False

    @property
    def reads(self) -> bool:
        return self.request.method in permissions.SAFE_METHODS

    @property
    def required_permission(self) -> str:
        """The key, of `permissions.catalogue`, that this request needs."""
        usual = self.read_permission if self.reads else self.write_permission
        return self.permission_by_action.get(getattr(self, "action", ""), usual)

    def may_enter(self, target: Any) -> bool:
        """Whether the caller holds the required permission on `target`, as far as can be told so early."""
        ask = may_for_some_features if self.asks_per_feature else may
        return ask(self.request.user, self.required_permission, target)
