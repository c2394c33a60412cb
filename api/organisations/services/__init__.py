from organisations.services.groups import (
    GroupFields,
    add_to_group,
    create_group,
    delete_group,
    remove_from_group,
    set_group_admin,
    update_group,
)
from organisations.services.invites import Invitation, accept_invite, invite, send_invitation, withdraw
from organisations.services.links import create_link, delete_link, join_by_link
from organisations.services.members import change_role, join, leave, remove_members
from organisations.services.organisations import (
    OrganisationFields,
    create_organisation,
    delete_organisation,
    update_organisation,
)
from organisations.services.webhooks import WebhookFields, create_webhook, delete_webhook, update_webhook

__all__ = [
    "GroupFields",
    "Invitation",
    "OrganisationFields",
    "WebhookFields",
    "accept_invite",
    "add_to_group",
    "change_role",
    "create_group",
    "create_link",
    "create_organisation",
    "create_webhook",
    "delete_group",
    "delete_link",
    "delete_organisation",
    "delete_webhook",
    "invite",
    "join",
    "join_by_link",
    "leave",
    "remove_from_group",
    "remove_members",
    "send_invitation",
    "set_group_admin",
    "update_group",
    "update_organisation",
    "update_webhook",
    "withdraw",
]
