"""Roles of an organisation, who has them, and what they grant on the organisation. For its administrators."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets

from core.queries import QuerySerializer
from organisations.models import Group, MasterKey
from organisations.scope import InOrganisation
from organisations.serializers.roles import (
    OrganisationRoleSerializer,
    RoleAssignmentSerializer,
    RoleGroupSerializer,
    RoleMasterKeySerializer,
    RoleOrganisationPermissionsSerializer,
    RolePermissionsSerializer,
    RoleUserSerializer,
)
from permissions.catalogue import ADMIN
from permissions.models import OrganisationGrant, Role, RoleAssignment
from permissions.services import change_grant, create_role, update_role
from users.models import User


class RoleViewSet(InOrganisation, viewsets.ModelViewSet):
    """The roles of an organisation."""

    serializer_class = OrganisationRoleSerializer
    queryset = Role.objects.all()
    lookup_value_converter = "int"
    read_permission = ADMIN

    def get_queryset(self) -> QuerySet[Role]:
        return Role.objects.filter(organisation=self.organisation).prefetch_related("tags")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_role(self.organisation, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        role = update_role(serializer.instance, **serializer.validated_data)
        serializer.instance = self.get_queryset().get(pk=role.pk)


class InRole(InOrganisation):
    """A view below one role of the organisation, which is `self.role`."""

    read_permission = ADMIN

    @cached_property
    def role(self) -> Role:
        """The role in the path.

        Raises:
            Http404: the organisation has none like this.
        """
        return get_object_or_404(Role, pk=self.kwargs["role_pk"], organisation=self.organisation)

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if getattr(self, "swagger_fake_view", False):
            return {**context}
        return {**context, "role": self.role, "organisation_id": self.organisation.pk}


class RoleAssignmentsView(InRole, viewsets.ModelViewSet):
    """Who has a role."""

    queryset = RoleAssignment.objects.all()
    serializer_class: type[RoleAssignmentSerializer]
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[RoleAssignment]:
        holder = self.serializer_class.holder
        assignments = RoleAssignment.objects.filter(role=self.role, **{f"{holder}__isnull": False})
        return assignments.select_related("role")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = self.role.assignments.create(**serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        RoleAssignment.objects.filter(pk=serializer.instance.pk).update(**serializer.validated_data)
        serializer.instance.refresh_from_db()


class RoleUserViewSet(RoleAssignmentsView):
    """The users who have a role."""

    serializer_class = RoleUserSerializer


class RoleGroupViewSet(RoleAssignmentsView):
    """The groups that have a role."""

    serializer_class = RoleGroupSerializer


class RoleMasterKeyViewSet(RoleAssignmentsView):
    """The master keys that have a role."""

    serializer_class = RoleMasterKeySerializer


class RoleOrganisationPermissionsViewSet(InRole, viewsets.ModelViewSet):
    """What a role grants on its organisation."""

    queryset = OrganisationGrant.objects.all()
    serializer_class = RoleOrganisationPermissionsSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[OrganisationGrant]:
        return OrganisationGrant.objects.filter(role=self.role)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = self.organisation.grants.create(role=self.role, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        change_grant(serializer.instance, **serializer.validated_data)


class RolesOfHolderView(
    InOrganisation, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    """The roles that one user, group or master key has itself, and taking them away."""

    queryset = Role.objects.all()
    serializer_class = OrganisationRoleSerializer
    lookup_url_kwarg = "role_pk"
    lookup_value_converter = "int"
    read_permission = ADMIN

    @property
    def assignments(self) -> QuerySet[RoleAssignment]:
        """The roles' assignments to whom the path names, who has to be of the organisation."""
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Role]:
        given = self.assignments.filter(role__organisation=self.organisation)
        return Role.objects.filter(pk__in=given.values("role")).prefetch_related("tags")

    def perform_destroy(self, instance: Role) -> None:
        self.assignments.filter(role=instance).delete()


@extend_schema_view(
    list=extend_schema(operation_id="list_user_roles"),
    destroy=extend_schema(operation_id="remove_user_role"),
)
class RolesOfUserViewSet(RolesOfHolderView):
    """The roles of a user."""

    @property
    def assignments(self) -> QuerySet[RoleAssignment]:
        members = User.objects.filter(memberships__organisation=self.organisation)
        user = get_object_or_404(members, pk=self.kwargs["user_pk"])
        return RoleAssignment.objects.filter(user=user)


@extend_schema_view(
    list=extend_schema(operation_id="list_group_roles"),
    destroy=extend_schema(operation_id="remove_group_role"),
)
class RolesOfGroupViewSet(RolesOfHolderView):
    """The roles of a group."""

    @property
    def assignments(self) -> QuerySet[RoleAssignment]:
        group = get_object_or_404(Group, pk=self.kwargs["group_pk"], organisation=self.organisation)
        return RoleAssignment.objects.filter(group=group)


@extend_schema_view(
    list=extend_schema(operation_id="list_master_api_key_roles"),
    destroy=extend_schema(operation_id="remove_master_api_key_role"),
)
class RolesOfMasterKeyViewSet(RolesOfHolderView):
    """The roles of a master key, which its prefix names."""

    @property
    def assignments(self) -> QuerySet[RoleAssignment]:
        keys = MasterKey.objects.filter(organisation=self.organisation, revoked=False)
        return RoleAssignment.objects.filter(master_key=get_object_or_404(keys, prefix=self.kwargs["prefix"]))


class RolePermissionsView(InRole, viewsets.ModelViewSet):
    """What a role grants on projects, or on environments. A list is about one of them."""

    lookup_value_converter = "int"
    serializer_class: type[RolePermissionsSerializer]
    kept_serializer_class: type[RolePermissionsSerializer]
    query: type[QuerySerializer]

    def get_serializer_class(self) -> type[RolePermissionsSerializer]:
        return self.kept_serializer_class if "update" in self.action else self.serializer_class

    @property
    def grants(self) -> QuerySet[Any]:
        """All that the role grants on objects of this kind."""
        raise NotImplementedError

    def get_serializer_context(self) -> dict[str, Any]:
        context = super().get_serializer_context()
        if getattr(self, "swagger_fake_view", False):
            return context
        return {**context, "grants": self.grants}

    def get_queryset(self) -> QuerySet[Any]:
        return self.grants.select_related(self.serializer_class.level.value)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.query.read(self.request)) if self.action == "list" else queryset

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = self.grants.model.objects.create(role=self.role, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        change_grant(serializer.instance, **serializer.validated_data)
