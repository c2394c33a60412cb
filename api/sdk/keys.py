"""What keys open, and how those are turned away that open nothing.

Secret keys are known here by their digest: neither memory nor the files and caches that keep snapshots
give one away.
"""

import hashlib

SERVER_SIDE_PREFIX = "ser."
LONGEST_KEY = 100

# Old SDKs compare these texts: only the second has a capital K.
MISSING_KEY = "Invalid or missing Environment key"
UNKNOWN_KEY = "Invalid or missing Environment Key"
NOT_SERVING = "Organisation is disabled from serving flags."
CANNOT_CHECK = "The environment key can't be checked at the moment. Try again."


class KeyRefused(Exception):
    """The primary doesn't know the key, or says that it opens nothing. The message is for the SDK."""

    @property
    def has_stopped_serving(self) -> bool:
        """Whether the key is right, and its organisation gets no flags."""
        return self.args == (NOT_SERVING,)


class KeyUnchecked(Exception):
    """Nobody could say whether the key opens anything: the database is away. Never a refusal.

    Attributes:
        retry_after_seconds: when to ask again.
    """

    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__(CANNOT_CHECK)


def key_name(key: str) -> str:
    """Return what stands for a key: a client-side key itself, or `ser.` and a secret one's digest.

    Raises:
        KeyRefused: there is no key, or none could be like this.
    """
    if not key:
        raise KeyRefused(MISSING_KEY)
    if len(key) > LONGEST_KEY or "\0" in key:
        raise KeyRefused(UNKNOWN_KEY)
    if not key.startswith(SERVER_SIDE_PREFIX):
        return key
    return SERVER_SIDE_PREFIX + hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def is_server_side(name: str) -> bool:
    """Tell by a key's name, or by the key itself."""
    return name.startswith(SERVER_SIDE_PREFIX)
