"""One's own account, and accounts by their ids, which are nobody else's business."""

from typing import Any, NoReturn, cast

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers.current_user import (
    CurrentUserSerializer,
    DeletionSerializer,
    OnboardingSerializer,
    SetEmailSerializer,
)
from accounts.services.deletion import delete_account
from accounts.services.profile import change_email, note_onboarding
from accounts.services.use import note_use
from core.site import site_url
from core.views import ManagedView
from users.models import User


@extend_schema_view(
    get=extend_schema(operation_id="get_current_user"),
    put=extend_schema(operation_id="update_current_user"),
    patch=extend_schema(operation_id="patch_current_user"),
)
class CurrentUserView(ManagedView, generics.RetrieveUpdateAPIView):
    """The caller's own account."""

    serializer_class = CurrentUserSerializer
    is_about_one = True

    def get_object(self) -> User:
        return cast(User, self.request.user)

    def get(self, request: Request, *args: Any, **path: Any) -> Response:
        note_use(self.get_object())
        return super().get(request, *args, **path)

    @extend_schema(operation_id="delete_current_user", request=DeletionSerializer, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Delete the caller's account, unless others would be left without an administrator."""
        return _delete(self.get_object(), request)


class UserView(generics.GenericAPIView):
    """An account by its id. It can be deleted by its owner, and by staff; nothing else is there."""

    serializer_class = DeletionSerializer

    @extend_schema(operation_id="delete_user", request=DeletionSerializer, responses={204: None})
    def delete(self, request: Request, user_id: int) -> Response:
        """Delete an account: the caller's own, or as staff another one."""
        caller = cast(User, request.user)
        users = User.objects.filter(pk=user_id)
        if not caller.is_staff:
            users = users.filter(pk=caller.pk)
        elif not caller.is_superuser:
            users = users.exclude(is_superuser=True)
        user = users.first()
        if user is None:
            raise NotFound
        return _delete(user, request)

    def http_method_not_allowed(  # type: ignore[override]  # REST framework's has its own request
        self, request: Request, *args: Any, **path: Any
    ) -> NoReturn:
        raise NotFound  # as if there were nobody


def _delete(user: User, request: Request) -> Response:
    asked = DeletionSerializer(data=request.data, context={"request": request})
    asked.is_valid(raise_exception=True)
    delete_account(user, delete_orphan_organisations=asked.validated_data["delete_orphan_organisations"])
    return Response(status=status.HTTP_204_NO_CONTENT)


class SetEmailView(generics.GenericAPIView):
    serializer_class = SetEmailSerializer

    @extend_schema(operation_id="set_email", responses={204: None})
    def post(self, request: Request) -> Response:
        """Change the caller's e-mail address. The old one is told."""
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        change_email(cast(User, request.user), wanted.validated_data["new_email"], site_url=site_url(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class OnboardingView(ManagedView, generics.GenericAPIView):
    serializer_class = OnboardingSerializer

    @extend_schema(operation_id="update_onboarding", responses={204: None})
    def patch(self, request: Request) -> Response:
        """Keep how far the caller has come with the first steps."""
        progress = self.get_serializer(data=request.data)
        progress.is_valid(raise_exception=True)
        note_onboarding(cast(User, request.user), progress.data)
        return Response(status=status.HTTP_204_NO_CONTENT)
