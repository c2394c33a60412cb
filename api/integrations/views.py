"""Connections with other services, over HTTP. All kinds have the same endpoints, with fields of their own."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import viewsets

from environments.scope import InEnvironment
from integrations.kinds import Kind
from integrations.models import Integration
from integrations.serializers import serializer_of
from integrations.services import create_integration, delete_integration, update_integration
from organisations.scope import InOrganisation
from permissions.catalogue import ADMIN, Level
from projects.scope import InProject


class IntegrationViewSet(viewsets.ModelViewSet):
    """What one place is connected with, for its administrators to change."""

    kind: ClassVar[Kind]
    level: ClassVar[Level]
    queryset = Integration.objects.all()
    lookup_value_converter = "int"
    pagination_class = None

    @property
    def place(self) -> Any:
        return getattr(self, self.level.value)

    def get_queryset(self) -> QuerySet[Integration]:
        integrations: QuerySet[Integration] = Integration.objects.filter(
            kind=self.kind.name, **{self.level.value: self.place}
        )
        return integrations

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_integration(self.kind, self.place, serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        update_integration(serializer.instance, serializer.validated_data)

    def perform_destroy(self, instance: Integration) -> None:
        delete_integration(instance)


class OfEnvironment(InEnvironment, IntegrationViewSet):
    level = Level.ENVIRONMENT


class OfProject(InProject, IntegrationViewSet):
    level = Level.PROJECT


class OfOrganisation(InOrganisation, IntegrationViewSet):
    """Of an organisation: its members don't see it, only its administrators do."""

    level = Level.ORGANISATION
    read_permission = ADMIN


_BY_LEVEL = {each.level: each for each in (OfEnvironment, OfProject, OfOrganisation)}


def viewset_of(kind: Kind, level: Level) -> type[IntegrationViewSet]:
    """Return the viewset of one kind at one level."""
    base = _BY_LEVEL[level]
    name = kind.name.title().replace("-", "")
    members = {
        "__doc__": f"The connection of one {level.value} with {kind.title}.",
        "__module__": __name__,
        "kind": kind,
        "serializer_class": serializer_of(kind),
    }
    return type(f"{name}{base.__name__}ViewSet", (base,), members)
