"""Where an environment's changes are sent."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, viewsets

from environments.models import EnvironmentWebhook
from environments.scope import InEnvironment
from environments.serializers.webhooks import EnvironmentWebhookSerializer
from environments.services import create_webhook, delete_webhook, update_webhook


class EnvironmentWebhookViewSet(
    InEnvironment,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """An environment's webhooks, for its administrators to change and for all who see it to read."""

    serializer_class = EnvironmentWebhookSerializer
    queryset = EnvironmentWebhook.objects.all()
    lookup_value_converter = "int"
    pagination_class = None

    def get_queryset(self) -> QuerySet[EnvironmentWebhook]:
        return EnvironmentWebhook.objects.filter(environment=self.environment)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_webhook(self.environment, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        update_webhook(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: EnvironmentWebhook) -> None:
        delete_webhook(instance)
