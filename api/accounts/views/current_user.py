"""One's own account."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers.current_user import CurrentUserSerializer
from accounts.services.use import note_use
from users.models import User


@extend_schema_view(
    get=extend_schema(operation_id="get_current_user"),
    put=extend_schema(operation_id="update_current_user"),
    patch=extend_schema(operation_id="patch_current_user"),
)
class CurrentUserView(generics.RetrieveUpdateAPIView):
    """The caller's own account."""

    serializer_class = CurrentUserSerializer

    def get_object(self) -> User:
        return cast(User, self.request.user)

    def get(self, request: Request, *args: Any, **path: Any) -> Response:
        note_use(self.get_object())
        return super().get(request, *args, **path)
