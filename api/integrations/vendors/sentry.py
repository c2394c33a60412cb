"""Sentry change tracking: what has become of a flag, when it is served."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from audit.models import ChangeType
from core.outgoing import as_bytes
from integrations.calls import Call
from integrations.events import Event

SIGNATURE_HEADER = "X-Sentry-Signature"
_ACTIONS = {ChangeType.CREATE: "created", ChangeType.DELETE: "deleted"}


def call(event: Event, configuration: Mapping[str, Any]) -> Call | None:
    """Return the hook; None where it isn't known any more which flag has changed."""
    if event.feature is None:
        return None
    change = {
        "action": _ACTIONS.get(event.change_type, "updated"),
        "flag": event.feature,
        "created_at": event.at,
        "created_by": {"id": event.user, "type": "email"},
        "change_id": event.change_id,
    }
    body = as_bytes({"data": [change], "meta": {"version": 1}})
    signature = hmac.new(configuration["secret"].encode(), body, hashlib.sha256).hexdigest()
    return Call(configuration["webhook_url"], body, {SIGNATURE_HEADER: signature})
