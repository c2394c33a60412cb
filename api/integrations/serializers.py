"""Integrations on the wire: their fields, each kind with its own."""

from functools import cache
from typing import Any, ClassVar

from rest_framework import serializers

from integrations.kinds import Kind
from integrations.models import Integration


class IntegrationSerializer(serializers.Serializer):
    """A connection with another service. Those who see it see its keys too."""

    kind: ClassVar[Kind]
    id = serializers.IntegerField(read_only=True)

    def to_representation(self, instance: Integration) -> Any:
        shown = {"id": instance.pk, "environment": instance.environment_id, **instance.configuration}
        return super().to_representation(shown)


@cache
def serializer_of(kind: Kind) -> type[IntegrationSerializer]:
    """Return the serializer of one kind."""
    environment = {"environment": serializers.IntegerField(read_only=True)} if kind.shows_environment else {}
    name = kind.name.title().replace("-", "")
    return type(
        f"{name}IntegrationSerializer",
        (IntegrationSerializer,),
        {
            "__doc__": f"A connection with {kind.title}.",
            "__module__": __name__,
            "kind": kind,
            **environment,
            **kind.fields,
        },
    )
