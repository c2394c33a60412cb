"""Why OFREP says no, and the words of the protocol for it."""

from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    PARSE_ERROR = "PARSE_ERROR"
    TARGETING_KEY_MISSING = "TARGETING_KEY_MISSING"
    INVALID_CONTEXT = "INVALID_CONTEXT"
    FLAG_NOT_FOUND = "FLAG_NOT_FOUND"
    GENERAL = "GENERAL"


class RequestRefused(Exception):
    """The request can't be answered. The message is for the provider's log."""

    def __init__(self, code: ErrorCode, details: str, status: int = 400) -> None:
        super().__init__(details)
        self.code = code
        self.status = status


def failure(code: ErrorCode, details: str, key: str | None) -> dict[str, Any]:
    """Return what stands for a flag, or for all, that can't be evaluated."""
    named = {} if key is None else {"key": key}
    return {**named, "errorCode": code, "errorDetails": details, "metadata": {}}
