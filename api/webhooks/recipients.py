"""Webhooks, whichever table they stand in: those of environments and those of organisations."""

from typing import Any, NamedTuple

from django.db.models import Q


class Recipient(NamedTuple):
    """A webhook's name as jobs carry it: `environment` or `organisation`, and its id in the one table."""

    kind: str
    webhook_id: int

    @classmethod
    def of_columns(
        cls, environment_webhook_id: int | None, organisation_webhook_id: int | None
    ) -> "Recipient":
        if organisation_webhook_id is not None:
            return cls("organisation", organisation_webhook_id)
        return cls("environment", environment_webhook_id or 0)  # the table sees that there is one

    def __str__(self) -> str:
        return f"webhook {self.webhook_id} of an {self.kind}"

    @property
    def columns(self) -> dict[str, Any]:
        """What a delivery to it says."""
        return {f"{self.kind}_webhook_id": self.webhook_id}

    @property
    def rows(self) -> Q:
        """Match what is about it. Both columns are named, as the index of pending deliveries has them."""
        other = "organisation" if self.kind == "environment" else "environment"
        return Q(**{f"{self.kind}_webhook": self.webhook_id, f"{other}_webhook__isnull": True})
