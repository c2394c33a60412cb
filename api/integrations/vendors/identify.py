"""The call `identify`, which Segment invented and others understand."""

from base64 import b64encode

from integrations.calls import Call, below, json_call
from integrations.identities import Reading


def identify(base_url: str, write_key: str, reading: Reading) -> Call:
    """Return the call that tells who a user is. The key is the name of somebody without a password."""
    credentials = b64encode(f"{write_key}:".encode()).decode()
    payload = {"userId": reading.identifier, "traits": reading.properties}
    return json_call(below(base_url, "v1/identify"), payload, Authorization=f"Basic {credentials}")
