"""How OFREP says no: `{"key": …, "errorCode": …, "errorDetails": …, "metadata": {}}`.

Providers break on an error without a code or details, some on one without metadata.
"""

from sdk.contents import encode
from sdk.keys import KeyRefused, KeyUnchecked
from sdk.ofrep.errors import ErrorCode, RequestRefused, failure
from sdk.payloads import SdkResponse
from sdk.store import RevisionNotReached

ERRORS = (RequestRefused, KeyRefused, KeyUnchecked, RevisionNotReached)


def refusal(
    error: RequestRefused | KeyRefused | KeyUnchecked | RevisionNotReached, key: str | None
) -> SdkResponse:
    """Return the answer to a request that something is wrong with.

    Args:
        key: the flag that was asked for; None where all were.
    """
    if isinstance(error, RequestRefused):
        return refused(error.status, error.code, str(error), key)
    if not isinstance(error, KeyRefused):
        # Whole seconds: some providers read nothing else.
        again = {"Retry-After": str(error.retry_after_seconds)}
        return refused(503, ErrorCode.GENERAL, str(error), key, again)
    if error.has_stopped_serving:
        return refused(403, ErrorCode.GENERAL, str(error), key)
    return refused(401, ErrorCode.GENERAL, str(error), key, {"WWW-Authenticate": "Bearer"})


def refused(
    status: int, code: ErrorCode, details: str, key: str | None, headers: dict[str, str] | None = None
) -> SdkResponse:
    return SdkResponse(status, encode(failure(code, details, key)), headers or {})
