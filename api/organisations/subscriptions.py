"""What clients read about an organisation's plan: there are no plans here, and no limits.

Flagsmith's dashboard decides by the plan's name what it unlocks.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from organisations.models import Organisation

PLAN = "enterprise"
MANY_SEATS = 100_000
MANY_API_CALLS = 2_000_000_000  # which still fits into 32 bits


@dataclass(frozen=True)
class Subscription:
    """A subscription as clients expect every organisation to have one."""

    id: int
    uuid: UUID
    deleted_at: datetime | None = None
    has_active_billing_periods: bool = False
    subscription_id: str | None = None
    subscription_date: datetime | None = None
    plan: str = PLAN
    max_seats: int = MANY_SEATS
    max_api_calls: int = MANY_API_CALLS
    cancellation_date: datetime | None = None
    customer_id: str | None = None
    billing_status: str | None = None
    payment_method: str | None = None
    notes: str | None = None


@dataclass(frozen=True)
class SubscriptionMetadata:
    """The limits of a plan; None is no limit."""

    max_seats: int = MANY_SEATS
    max_api_calls: int = MANY_API_CALLS
    max_projects: int | None = None
    payment_source: str | None = None
    chargebee_email: str | None = None
    feature_history_visibility_days: int | None = None
    audit_log_visibility_days: int | None = None


def subscription_of(organisation: Organisation) -> Subscription:
    return Subscription(id=organisation.pk, uuid=uuid.uuid5(organisation.uuid, "subscription"))
