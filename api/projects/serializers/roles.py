"""What a role grants on a project, on the wire."""

from core.fields import IdField
from core.queries import QuerySerializer
from organisations.serializers.grants import OfOrganisationField
from organisations.serializers.roles import RolePermissionsSerializer
from permissions.catalogue import Level
from projects.models import Project


class RoleProjectPermissionsSerializer(RolePermissionsSerializer):
    level = Level.PROJECT

    project = OfOrganisationField(queryset=Project.objects.all())


class KeptRoleProjectPermissionsSerializer(RoleProjectPermissionsSerializer):
    """As it is changed: not to that of another project."""

    project = OfOrganisationField(read_only=True)


class RoleProjectPermissionsQuery(QuerySerializer):
    project = IdField(help_text="Its id.")
