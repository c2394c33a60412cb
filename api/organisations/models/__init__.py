from organisations.models.group import Group, GroupMembership
from organisations.models.invite import Invite, InviteLink
from organisations.models.master_key import MasterKey
from organisations.models.membership import MemberRole, OrganisationMembership
from organisations.models.organisation import Organisation, stores_traits_by_default
from organisations.models.webhook import OrganisationWebhook

__all__ = [
    "Group",
    "GroupMembership",
    "Invite",
    "InviteLink",
    "MasterKey",
    "MemberRole",
    "Organisation",
    "OrganisationMembership",
    "OrganisationWebhook",
    "stores_traits_by_default",
]
