"""The headers by which receivers know what a message is and who has sent it.

`X-Flagsmith-Signature` is what receivers of Flagsmith's webhooks check. The others are those of the Standard
Webhooks specification, whose libraries refuse what is old or was seen before.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64

from core.outgoing import signed

_ENCODED = "whsec_"


def headers_of(message_id: str, sent_at: int, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of one attempt at a message. Without a secret nothing is signed.

    Args:
        sent_at: the moment of the attempt, in seconds since 1970.
    """
    headers = {"webhook-id": message_id, "webhook-timestamp": str(sent_at), **signed(body, secret)}
    if secret:
        content = b".".join([message_id.encode(), str(sent_at).encode(), body])
        signature = hmac.digest(_key_in(secret), content, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{b64encode(signature).decode()}"
    return headers


def _key_in(secret: str) -> bytes:
    """Return the key that a secret stands for: base64 behind `whsec_`, or the text itself."""
    if secret.startswith(_ENCODED):
        try:
            return b64decode(secret.removeprefix(_ENCODED), validate=True)
        except (NotBase64, ValueError):
            """It only begins like one."""
    return secret.encode()
