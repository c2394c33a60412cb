"""Public keys: short uuids of 22 characters, as Flagsmith's API has them."""

import shortuuid


def short_key() -> str:
    """Return a new 22-character key, e.g. `8KzETdDeMY7xkqkSkY3Gsg`."""
    return shortuuid.uuid()


def server_side_key() -> str:
    """Return a new server-side environment key: `ser.` and 22 characters."""
    return f"ser.{shortuuid.uuid()}"
