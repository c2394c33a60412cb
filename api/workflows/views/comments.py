"""What is said about change requests."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from core.pagination import ChosenPagination
from core.views import ManagedView
from permissions.access import require, within_reach
from projects.scope import InProject
from workflows.models import ChangeRequest, Comment
from workflows.serializers.requests import CommentSerializer
from workflows.services.change_requests import comment


class _CommentsView(ManagedView, generics.ListCreateAPIView):
    """The comments on a request, the oldest first. Whoever sees the request may add one."""

    serializer_class = CommentSerializer
    pagination_class = ChosenPagination
    queryset = Comment.objects.all()

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        _ = self.change_request

    def surroundings(self) -> Iterator[Model]:
        yield self.change_request

    @cached_property
    def change_request(self) -> ChangeRequest:
        """The request in the path.

        Raises:
            Http404, PermissionDenied: there is none, or none for this caller.
        """
        return self.find()

    def find(self) -> ChangeRequest:
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Comment]:
        comments: QuerySet[Comment] = self.change_request.comments.all()
        return comments

    def perform_create(self, serializer: Any) -> None:
        author, text = self.request.user, serializer.validated_data["text"]
        serializer.instance = comment(self.change_request, author=author, text=text)


@extend_schema_view(
    get=extend_schema(operation_id="list_change_request_comments"),
    post=extend_schema(operation_id="create_change_request_comment"),
)
class CommentsView(_CommentsView):
    permission_classes = [IsAuthenticated]

    def find(self) -> ChangeRequest:
        requests: QuerySet[ChangeRequest] = ChangeRequest.objects.filter(environment__isnull=False)
        reachable = within_reach(self.request.user, requests, "environment__project__organisation")
        found: ChangeRequest = generics.get_object_or_404(
            reachable.select_related("environment__project"), pk=self.kwargs["change_request_pk"]
        )
        require(self.request.user, "VIEW_ENVIRONMENT", found.environment)
        return found


@extend_schema_view(
    get=extend_schema(operation_id="list_project_change_request_comments"),
    post=extend_schema(operation_id="create_project_change_request_comment"),
)
class ProjectCommentsView(InProject, _CommentsView):
    write_permission = "VIEW_PROJECT"

    def find(self) -> ChangeRequest:
        requests = ChangeRequest.objects.filter(project=self.project, environment__isnull=True)
        found: ChangeRequest = generics.get_object_or_404(requests, pk=self.kwargs["change_request_pk"])
        return found
