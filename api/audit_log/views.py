"""The audit log: of a project, of an organisation, and of all that somebody administers."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from audit_log.selectors import add_revisions, complete, in_pieces, records_matching
from audit_log.serializers import AuditDetailSerializer, AuditItemSerializer, AuditQuery
from audit_log.tables import as_csv
from core.pagination import ChosenPagination
from organisations.scope import InOrganisation
from permissions.catalogue import ADMIN
from permissions.holdings import organisation_ids
from projects.scope import InProject

_CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="A table in CSV, newest first.")}


class AuditLogViewSet(viewsets.GenericViewSet):
    """Who changed what, and when. Nobody changes that."""

    serializer_class = AuditItemSerializer
    pagination_class = ChosenPagination
    lookup_value_converter = "int"

    @cached_property
    def query(self) -> dict[str, Any]:
        return AuditQuery.read(self.request)

    def within(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow rows to those that this log is of."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        return self.within(records_matching(self.query))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page: Sequence[Any] = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(self.get_serializer(complete(page, self.query), many=True).data)

    def retrieve(self, request: Request, *args: Any, pk: int, **kwargs: Any) -> Response:
        [row] = complete([get_object_or_404(self.get_queryset(), pk=pk)], self.query)
        add_revisions([row])
        return Response(AuditDetailSerializer(row, context=self.get_serializer_context()).data)

    @action(detail=False, methods=["get"], pagination_class=None)
    def export(self, request: Request, *args: Any, **kwargs: Any) -> StreamingHttpResponse:
        rows = as_csv(in_pieces(self.get_queryset(), self.query))
        response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
        return response


def _described(of: str) -> Any:
    return extend_schema_view(
        list=extend_schema(
            operation_id=f"list_{of}audit_logs", parameters=[AuditQuery], responses=AuditItemSerializer
        ),
        retrieve=extend_schema(
            operation_id=f"get_{of}audit_log", parameters=[AuditQuery], responses=AuditDetailSerializer
        ),
        export=extend_schema(
            operation_id=f"export_{of}audit_logs",
            parameters=[AuditQuery],
            responses=_CSV,
        ),
    )


@_described("project_")
class ProjectAuditLogViewSet(InProject, AuditLogViewSet):
    """What was changed in one project."""

    read_permission = "VIEW_AUDIT_LOG"
    hides_project = False

    def within(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(project_id=self.project.pk)


@_described("organisation_")
class OrganisationAuditLogViewSet(InOrganisation, AuditLogViewSet):
    """What was changed in one organisation."""

    read_permission = ADMIN

    def within(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(organisation_id=self.organisation.pk)


@_described("")
class OwnAuditLogViewSet(AuditLogViewSet):
    """What was changed in the organisations that the caller administers."""

    permission_classes = [IsAuthenticated]

    def within(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(organisation_id__in=organisation_ids(self.request.user, role=ADMIN))
