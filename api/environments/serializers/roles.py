"""What a role grants on an environment, on the wire."""

from core.fields import IdField
from core.queries import QuerySerializer
from environments.models import Environment
from organisations.serializers.grants import OfOrganisationField
from organisations.serializers.roles import RolePermissionsSerializer
from permissions.catalogue import Level


class RoleEnvironmentPermissionsSerializer(RolePermissionsSerializer):
    level = Level.ENVIRONMENT

    environment = OfOrganisationField(
        queryset=Environment.objects.filter(project__deleted_at__isnull=True), path="project__organisation"
    )


class KeptRoleEnvironmentPermissionsSerializer(RoleEnvironmentPermissionsSerializer):
    """As it is changed: not to that of another environment."""

    environment = OfOrganisationField(read_only=True)


class RoleEnvironmentPermissionsQuery(QuerySerializer):
    environment = IdField(help_text="Its id, a number.")
