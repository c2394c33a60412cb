"""Whether this server is about to end, all its processes and with nobody in their place.

gunicorn's master knows: to its workers SIGTERM looks the same when only they are replaced. It says so in
memory that was shared before they were forked, and then they go on serving for a while, as long as load
balancers take to find out from the readiness probe that nobody is to be sent here any more.
"""

import mmap
from collections.abc import Callable
from typing import Any

_announced = mmap.mmap(-1, 1)
delay_seconds = 0.0


def prepare(seconds: float) -> None:
    """Have workers go on serving for so long after the announcement. To be called before they are forked."""
    global delay_seconds
    delay_seconds = seconds


def announce() -> None:
    _announced[0] = 1


def is_announced() -> bool:
    return _announced[0] == 1


def announced_by(arbiter: Any) -> Callable[[], None]:
    """Return what gunicorn's master is to do at SIGTERM: announce it, unless another has its port.

    That is a successor, or the one that this was to succeed, as long as it is there.
    """
    end = arbiter.handle_term

    def handle_term() -> None:
        if not (arbiter.reexec_pid or arbiter.master_pid):
            announce()
        end()

    return handle_term
