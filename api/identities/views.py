"""Identities and their traits, for people. What SDKs send goes another way."""

from functools import cached_property
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from environments.scope import InEnvironment
from identities.batches import TraitChanges
from identities.erasure import erase_identifier
from identities.exceptions import TraitKeyNotGivenError
from identities.models import Identity, IdentityQuerySet
from identities.pagination import FoundPagination, IdentityPagination
from identities.searching import quoted, search_time_limit
from identities.selectors import Trait, trait_keys_in_use, traits_of
from identities.serializers import (
    ErasureRequestSerializer,
    ErasureSerializer,
    IdentityQuery,
    IdentitySerializer,
    TraitDeletionQuery,
    TraitKeySerializer,
    TraitKeysSerializer,
    TraitSerializer,
)
from identities.services import (
    create_identity,
    remove_trait_everywhere,
    rename_identity,
    store_traits,
)
from organisations.models import Organisation
from organisations.scope import InOrganisation
from permissions.catalogue import ADMIN
from permissions.scoped import ScopedView
from projects.models import Project
from projects.scope import InProject


@extend_schema_view(list=extend_schema(parameters=[IdentityQuery]))
class IdentityViewSet(InEnvironment, viewsets.ModelViewSet):
    """The identities of an environment."""

    queryset = Identity.objects.all()
    serializer_class = IdentitySerializer
    pagination_class = IdentityPagination
    lookup_value_converter = "int"
    read_permission = "VIEW_IDENTITIES"
    write_permission = "MANAGE_IDENTITIES"

    def get_queryset(self) -> IdentityQuerySet:
        # Traits may be large, and aren't shown.
        return Identity.objects.filter(environment=self.environment).defer("traits")

    def list(self, request: Request, *args: Any, **path: Any) -> Response:
        text = IdentityQuery.read(request).get("q", "")
        if not text:
            return super().list(request, *args, **path)
        pages, identities, identifier = FoundPagination(), self.get_queryset(), quoted(text)
        if identifier is not None:
            found = pages.paginate_queryset(identities.with_identifier(identifier), request)
        else:
            with search_time_limit():
                found = pages.paginate_queryset(identities.containing(text), request)
        return pages.get_paginated_response(self.get_serializer(found, many=True).data)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_identity(self.environment, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = rename_identity(serializer.instance, **serializer.validated_data)


class TraitViewSet(InEnvironment, viewsets.ViewSet):
    """The traits of one identity. A trait's id is its key's, so all identities' `plan` has the same."""

    serializer_class = TraitSerializer
    lookup_value_converter = "int"
    read_permission = "VIEW_IDENTITIES"
    write_permission = "MANAGE_IDENTITIES"

    @property
    def names_one(self) -> bool:
        return "pk" in self.kwargs

    def written_row(self) -> Identity:
        self._trait()  # or there is nothing to write
        return self.identity

    @cached_property
    def identity(self) -> Identity:
        return get_object_or_404(Identity, pk=self.kwargs["identity_pk"], environment=self.environment)

    @extend_schema(responses=TraitSerializer(many=True))
    def list(self, request: Request, **path: Any) -> Response:
        page = self.paginate_queryset(traits_of(self.identity))
        return self.get_paginated_response(TraitSerializer(page, many=True).data)

    @extend_schema(responses={201: TraitSerializer})
    def create(self, request: Request, **path: Any) -> Response:
        given = self._given()
        self._refuse_second(given["key"])
        return Response(self._stored(given), status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, **path: Any) -> Response:
        return Response(TraitSerializer(self._trait()).data)

    def update(self, request: Request, *, partial: bool = False, **path: Any) -> Response:
        trait = self._trait()
        given = self._given(trait, partial=partial)
        if given["key"] == trait.key:
            return Response(self._stored(given))
        self._refuse_second(given["key"])
        return Response(self._stored(given, removed=frozenset({trait.key})))

    def partial_update(self, request: Request, **path: Any) -> Response:
        return self.update(request, partial=True, **path)

    @extend_schema(parameters=[TraitDeletionQuery])
    def destroy(self, request: Request, **path: Any) -> Response:
        trait = self._trait()
        if TraitDeletionQuery.read(request).get("deleteAllMatchingTraits"):
            remove_trait_everywhere(self.environment, trait.key)
        else:
            store_traits([self._changes(removed=frozenset({trait.key}))])
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _trait(self) -> Trait:
        for trait in traits_of(self.identity):
            if trait.id == self.kwargs["pk"]:
                return trait
        raise Http404

    def _given(self, trait: Trait | None = None, *, partial: bool = False) -> dict[str, Any]:
        serializer = TraitSerializer(trait, data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _refuse_second(self, key: str) -> None:
        if key in self.identity.traits:
            raise InvalidInput({"trait_key": ["The identity has a trait with this key already."]})

    def _stored(self, given: dict[str, Any], removed: frozenset[str] = frozenset()) -> Any:
        """Store a trait and return it as it is shown."""
        store_traits([self._changes({given["key"]: given["value"]}, removed)])
        self.identity.refresh_from_db(fields=["traits"])
        stored = next(trait for trait in traits_of(self.identity) if trait.key == given["key"])
        return TraitSerializer(stored).data

    def _changes(
        self, values: dict[str, Any] | None = None, removed: frozenset[str] = frozenset()
    ) -> TraitChanges:
        return TraitChanges(self.environment.pk, self.identity.identifier, values or {}, removed)


class TraitKeysView(InEnvironment):
    """Which traits identities of an environment have."""

    serializer_class = TraitKeysSerializer

    @extend_schema(operation_id="list_environment_trait_keys")
    def get(self, request: Request, **path: Any) -> Response:
        return Response({"keys": trait_keys_in_use(self.environment)})


class DeleteTraitsView(InEnvironment):
    """Takes a trait away from all identities of an environment."""

    serializer_class = TraitKeySerializer
    write_permission = ADMIN

    @extend_schema(operation_id="delete_environment_traits", responses={200: None})
    def post(self, request: Request, **path: Any) -> Response:
        wanted = TraitKeySerializer(data=request.data)
        if not wanted.is_valid():
            raise TraitKeyNotGivenError
        remove_trait_everywhere(self.environment, wanted.validated_data["key"])
        return Response()


class _ErasesIdentifier(ScopedView):
    """Erases everything that is kept under an identifier, in the place in the path."""

    serializer_class = ErasureRequestSerializer
    write_permission = ADMIN

    def erase(self, within: Project | Organisation) -> Response:
        wanted = ErasureRequestSerializer(data=self.request.data)
        wanted.is_valid(raise_exception=True)
        erased = erase_identifier(**wanted.validated_data, within=within, author=self.request.user)
        return Response(ErasureSerializer(erased).data)


class EraseFromProjectView(InProject, _ErasesIdentifier):
    @extend_schema(operation_id="erase_identifier_from_project", responses=ErasureSerializer)
    def post(self, request: Request, **path: Any) -> Response:
        """Erase what is kept under an identifier in all environments of a project, or count it."""
        return self.erase(self.project)


class EraseFromOrganisationView(InOrganisation, _ErasesIdentifier):
    @extend_schema(operation_id="erase_identifier_from_organisation", responses=ErasureSerializer)
    def post(self, request: Request, **path: Any) -> Response:
        """Erase what is kept under an identifier in all environments of an organisation, or count it."""
        return self.erase(self.organisation)
