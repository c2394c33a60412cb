"""Managing an organisation's master keys."""

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.views import APIView

from organisations.authentication import MasterKeyAuthentication
from organisations.models import MasterKey
from organisations.scope import InOrganisation
from organisations.serializers.master_keys import MasterKeySerializer
from organisations.services.master_keys import create_master_key, delete_master_key, update_master_key
from permissions.catalogue import ADMIN
from users.models import User


class MasterKeyViewSet(InOrganisation, viewsets.ModelViewSet):
    """An organisation's master keys, for the people who administer it."""

    # No key manages keys, or whoever gets hold of one could make another that outlives it. To this view it is
    # no credential at all (the Flagsmith management contract, "Master API keys").
    authentication_classes = [
        each for each in APIView.authentication_classes if not issubclass(each, MasterKeyAuthentication)
    ]
    serializer_class = MasterKeySerializer
    queryset = MasterKey.objects.all()
    lookup_field = "prefix"
    read_permission = ADMIN
    write_permission = ADMIN

    def get_queryset(self) -> QuerySet[MasterKey]:
        keys: QuerySet[MasterKey] = MasterKey.objects.filter(organisation=self.organisation)
        return keys.filter(revoked=False) if self.action == "list" else keys

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_master_key(
            self.organisation, creator=cast(User, self.request.user), **serializer.validated_data
        )

    def perform_update(self, serializer: Any) -> None:
        update_master_key(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: MasterKey) -> None:
        delete_master_key(instance)
