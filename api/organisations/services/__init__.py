from organisations.services.members import change_role, join, leave, remove_members
from organisations.services.organisations import (
    OrganisationFields,
    create_organisation,
    delete_organisation,
    update_organisation,
)

__all__ = [
    "OrganisationFields",
    "change_role",
    "create_organisation",
    "delete_organisation",
    "join",
    "leave",
    "remove_members",
    "update_organisation",
]
