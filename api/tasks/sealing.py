"""Arguments that nobody reads in the database, nor in a copy of it."""

import json
from collections.abc import Mapping
from typing import Any

from core.encryption import decrypted, encrypted

_NAME = "sealed"


def sealed(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {_NAME: encrypted(json.dumps(arguments))}


def unsealed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sealed.

    Raises:
        cryptography.fernet.InvalidToken: that was with a key that is no longer known.
    """
    opened: dict[str, Any] = json.loads(decrypted(arguments[_NAME]))
    return opened


def is_sealed(arguments: Mapping[str, Any]) -> bool:
    return list(arguments) == [_NAME]
