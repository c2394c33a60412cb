"""What users and groups were granted: the views of one organisation, and what those of all levels share."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets

from core.fields import IdField
from core.queries import QuerySerializer
from organisations.scope import InOrganisation
from organisations.serializers.grants import (
    GrantSerializer,
    ListedOrganisationGroupPermissionsSerializer,
    ListedOrganisationUserPermissionsSerializer,
    OrganisationGroupPermissionsSerializer,
    OrganisationUserPermissionsSerializer,
    context_of,
)
from permissions.catalogue import ADMIN
from permissions.models import Grant, OrganisationGrant
from permissions.services import change_grant


class GrantsView(viewsets.GenericViewSet):
    """What users, or groups, were granted on `self.target`: an organisation, a project or an environment."""

    pagination_class = None
    lookup_value_converter = "int"
    serializer_class: type[GrantSerializer]
    listed_serializer_class: ClassVar[type[GrantSerializer]]
    # What a list shows of the holders, in a number of queries that doesn't grow with the rows.
    listed_with: ClassVar[tuple[str, ...]] = ()

    @property
    def target(self) -> Any:
        raise NotImplementedError

    def get_serializer_class(self) -> type[GrantSerializer]:
        return self.listed_serializer_class if self.action == "list" else self.serializer_class

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if getattr(self, "swagger_fake_view", False):
            return {**context}
        return {**context, **context_of(self.target)}

    def get_queryset(self) -> QuerySet[Any]:
        holder = self.serializer_class.holder
        grants: QuerySet[Any] = self.target.grants.filter(**{f"{holder}__isnull": False})
        return grants.select_related(holder).prefetch_related(*self.listed_with)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = self.target.grants.create(**serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        change_grant(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Grant) -> None:
        instance.delete()


class UserQuery(QuerySerializer):
    user = IdField(required=False, help_text="Only this user's.")


class GroupQuery(QuerySerializer):
    group = IdField(required=False, help_text="Only this group's.")


class OrganisationGrantsView(
    InOrganisation,
    GrantsView,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
):
    """What was granted on an organisation. One alone can't be asked for."""

    queryset = OrganisationGrant.objects.all()
    read_permission = ADMIN
    query: ClassVar[type[QuerySerializer]]

    @property
    def target(self) -> Any:
        return self.organisation

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.query.read(self.request)) if self.action == "list" else queryset


@extend_schema_view(list=extend_schema(parameters=[UserQuery]))
class OrganisationUserPermissionsViewSet(OrganisationGrantsView):
    """What single users were granted on an organisation."""

    serializer_class = OrganisationUserPermissionsSerializer
    listed_serializer_class = ListedOrganisationUserPermissionsSerializer
    query = UserQuery


@extend_schema_view(list=extend_schema(parameters=[GroupQuery]))
class OrganisationGroupPermissionsViewSet(OrganisationGrantsView):
    """What groups were granted on an organisation."""

    serializer_class = OrganisationGroupPermissionsSerializer
    listed_serializer_class = ListedOrganisationGroupPermissionsSerializer
    listed_with = ("group__memberships__user",)
    query = GroupQuery
