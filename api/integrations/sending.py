"""Calling other services, for jobs: what comes of it decides whether there is another attempt."""

from core.outgoing import TargetForbiddenError, post
from integrations.calls import Call
from tasks.registry import GiveUp

# They may take it later: too early, too much, and whatever is a fault of theirs.
_MAY_CHANGE = {408, 425, 429}


class NotTakenError(Exception):
    """A service didn't take what it was told, and may the next time."""


def send(call: Call) -> None:
    """Tell another service.

    Raises:
        NotTakenError, CallFailedError: not now.
        GiveUp: never, as it was answered, or where it is.
    """
    try:
        answer = post(call.url, call.body, call.headers, content_type=call.content_type)
    except TargetForbiddenError as error:
        raise GiveUp(str(error)) from error
    if answer.is_success:
        return
    said = f"It answered {answer.status}."
    if answer.status >= 500 or answer.status in _MAY_CHANGE:
        raise NotTakenError(said)
    raise GiveUp(said)
