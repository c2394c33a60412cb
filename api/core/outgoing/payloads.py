"""What is sent, and the header that shows who has sent it."""

import hashlib
import hmac
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

SIGNATURE_HEADER = "X-Flagsmith-Signature"


def as_bytes(payload: Any) -> bytes:
    """Return the body that a payload is sent as: JSON, with sorted keys at every level."""
    return json.dumps(payload, sort_keys=True, cls=DjangoJSONEncoder).encode()


def signed(body: bytes, secret: str) -> dict[str, str]:
    """Return the headers that prove to whoever knows `secret` that it was us; none without a secret.

    The signature is the HMAC-SHA256 of the very bytes that are sent, in hex.
    """
    if not secret:
        return {}
    return {SIGNATURE_HEADER: hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
