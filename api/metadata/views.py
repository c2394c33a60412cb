"""Custom fields: definitions, and what they are attached to."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from core.pagination import ChosenPagination
from core.views import ManagedView
from metadata.exceptions import ForeignProjectError, UnsupportedModelError
from metadata.kinds import ENTITIES, SCOPES, content_type_of, kind_numbered
from metadata.models import Attachment, CustomField
from metadata.selectors import described_attachments, described_fields, fields_of_project
from metadata.serializers import (
    AttachmentQuery,
    AttachmentSerializer,
    ContentTypeSerializer,
    CustomFieldSerializer,
    FieldQuery,
    ModelNameQuery,
    ProjectFieldQuery,
)
from metadata.services import (
    attach_field,
    create_field,
    delete_field,
    detach_field,
    replace_requirements,
    update_field,
)
from organisations.models import Organisation
from organisations.scope import InOrganisation
from permissions.access import may, require, within_reach
from permissions.actors import Actor
from permissions.catalogue import ADMIN, MEMBER
from projects.models import Project
from projects.scope import InProject


def require_administrator(actor: Actor, field: CustomField) -> None:
    """Refuse who administers neither the organisation of a definition nor the project that it is of.

    Raises:
        PermissionDenied
    """
    require(actor, ADMIN, field.project or field.organisation)


@extend_schema_view(
    list=extend_schema(operation_id="list_metadata_fields", parameters=[FieldQuery]),
    create=extend_schema(operation_id="create_metadata_field"),
)
class CustomFieldViewSet(ManagedView, viewsets.ModelViewSet):
    """Definitions of custom fields. The list has what whole organisations define."""

    serializer_class = CustomFieldSerializer
    queryset = CustomField.objects.all()
    permission_classes = [IsAuthenticated]
    pagination_class = ChosenPagination
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[CustomField]:
        fields = described_fields()
        if self.action != "list":
            within = within_reach(self.request.user, fields, "organisation")
            return within.select_related("organisation", "project")
        organisation = _organisation(FieldQuery.read(self.request)["organisation"])
        if organisation is None or not may(self.request.user, MEMBER, organisation):
            return fields.none()
        return fields.filter(organisation=organisation, project__isnull=True)

    def get_object(self) -> CustomField:
        field: CustomField = super().get_object()
        if self.action != "retrieve":
            require_administrator(self.request.user, field)
        return field

    def perform_create(self, serializer: Any) -> None:
        properties = dict(serializer.validated_data)
        organisation = _organisation(properties.pop("organisation_id"))
        if organisation is None:
            raise PermissionDenied
        project = self._project(organisation, properties.pop("project_id", None))
        serializer.instance = create_field(organisation, project=project, **properties)

    def perform_update(self, serializer: Any) -> None:
        properties, field = dict(serializer.validated_data), serializer.instance
        if properties.pop("organisation_id", field.organisation_id) != field.organisation_id:
            raise InvalidInput({"organisation": ["A custom field stays in its organisation."]})
        if "project_id" in properties:
            properties["project"] = self._project(field.organisation, properties.pop("project_id"))
        update_field(field, **properties)

    def perform_destroy(self, instance: CustomField) -> None:
        delete_field(instance)

    def _project(self, organisation: Organisation, project_id: int | None) -> Project | None:
        """Return the project that a definition is to be of; None for the whole organisation.

        Raises:
            PermissionDenied: the caller administers neither.
            ForeignProjectError: the organisation hasn't got it. Only its administrators are told.
        """
        project = Project.objects.filter(pk=project_id, organisation=organisation).first()
        require(self.request.user, ADMIN, project or organisation)
        if project is None and project_id is not None:
            raise ForeignProjectError
        return cast(Project | None, project)


@extend_schema_view(list=extend_schema(parameters=[ProjectFieldQuery]))
class ProjectFieldViewSet(InProject, viewsets.ReadOnlyModelViewSet):
    """What custom fields there are in a project."""

    serializer_class = CustomFieldSerializer
    queryset = CustomField.objects.all()
    pagination_class = ChosenPagination
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[CustomField]:
        query = ProjectFieldQuery.read(self.request)
        return fields_of_project(
            self.project,
            # One of the organisation, by its id, is no less the project's.
            include_organisation=self.action == "retrieve" or query.get("include_organisation", False),
            kind=query.get("entity"),
        )


@extend_schema_view(list=extend_schema(parameters=[AttachmentQuery]))
class AttachmentViewSet(InOrganisation, viewsets.ModelViewSet):
    """Which fields features, segments and environments have. Projects' administrators attach their fields."""

    serializer_class = AttachmentSerializer
    queryset = Attachment.objects.all()
    lookup_value_converter = "int"
    write_permission = MEMBER  # and on the field: see `require_administrator`

    def get_queryset(self) -> QuerySet[Attachment]:
        return described_attachments().filter(field__organisation=self.organisation)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        query = AttachmentQuery.read(self.request)
        if "content_type" in query:
            return queryset.filter(kind=kind_numbered(query["content_type"], ENTITIES) or "")
        return queryset

    def get_object(self) -> Attachment:
        attachment: Attachment = super().get_object()
        if not self.reads:
            require_administrator(self.request.user, attachment.field)
        return attachment

    def perform_create(self, serializer: Any) -> None:
        wanted = serializer.validated_data
        fields = CustomField.objects.undeleted().filter(organisation=self.organisation)
        field = fields.filter(pk=wanted["field_id"]).first()
        if field is None:
            raise NotFound
        require_administrator(self.request.user, field)
        requirements = wanted.get("requirements", ())
        serializer.instance = attach_field(field, wanted["kind"], requirements=requirements)

    def perform_update(self, serializer: Any) -> None:
        attachment, wanted = serializer.instance, serializer.validated_data
        for name, key in (("field", "field_id"), ("content_type", "kind")):
            if wanted.get(key, getattr(attachment, key)) != getattr(attachment, key):
                raise InvalidInput({name: ["This can't be changed. Attach the field anew."]})
        if "requirements" in wanted:
            replace_requirements(attachment, wanted["requirements"])
        serializer.instance = self.get_queryset().get(pk=attachment.pk)

    def perform_destroy(self, instance: Attachment) -> None:
        detach_field(instance)

    @extend_schema(
        operation_id="list_metadata_supported_content_types", responses=ContentTypeSerializer(many=True)
    )
    @action(detail=False, methods=["get"], url_path="supported-content-types", pagination_class=None)
    def supported_content_types(self, request: Request, **path: Any) -> Response:
        """List the kinds of objects that have to do with custom fields, and their numbers here."""
        kinds = [content_type_of(kind) for kind in (*ENTITIES, *SCOPES)]
        return Response(ContentTypeSerializer(kinds, many=True).data)

    @extend_schema(
        operation_id="list_metadata_supported_required_for_models",
        parameters=[ModelNameQuery],
        responses=ContentTypeSerializer(many=True),
    )
    @action(detail=False, methods=["get"], url_path="supported-required-for-models", pagination_class=None)
    def supported_required_for_models(self, request: Request, **path: Any) -> Response:
        """List where a field of a kind of entity can be required."""
        if ModelNameQuery.read(request)["model_name"] not in ENTITIES:
            raise UnsupportedModelError
        kinds = [content_type_of(kind) for kind in SCOPES]
        return Response(ContentTypeSerializer(kinds, many=True).data)


def _organisation(organisation_id: int) -> Organisation | None:
    organisation: Organisation | None = Organisation.objects.filter(pk=organisation_id).first()
    return organisation
