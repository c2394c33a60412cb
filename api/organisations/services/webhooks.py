"""Where an organisation's changes are sent. Nothing of this is written to the audit log."""

from typing import TypedDict, Unpack

from organisations.models import Organisation, OrganisationWebhook


class WebhookFields(TypedDict, total=False):
    url: str
    enabled: bool
    secret: str


def create_webhook(organisation: Organisation, **fields: Unpack[WebhookFields]) -> OrganisationWebhook:
    """Make a webhook of an organisation."""
    return OrganisationWebhook.objects.create(organisation=organisation, **fields)


def update_webhook(webhook: OrganisationWebhook, **changes: Unpack[WebhookFields]) -> OrganisationWebhook:
    """Change a webhook: only the fields given are written."""
    for name, value in changes.items():
        setattr(webhook, name, value)
    webhook.save(update_fields=[*changes, "updated_at"])
    return webhook


def delete_webhook(webhook: OrganisationWebhook) -> None:
    webhook.delete()
