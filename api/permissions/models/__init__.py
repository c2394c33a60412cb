from permissions.models.grants import EnvironmentGrant, Grant, OrganisationGrant, ProjectGrant
from permissions.models.role import Role, RoleAssignment

__all__ = ["EnvironmentGrant", "Grant", "OrganisationGrant", "ProjectGrant", "Role", "RoleAssignment"]
