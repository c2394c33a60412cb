"""Doing things at the same moment, each on a connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run `actions` at the same moment, and return what each returned, or the exception that it raised.

    For tests whose rows are committed: `django_db(transaction=True)`.
    """
    together = threading.Barrier(len(actions))
    outcomes: list[Any] = [None] * len(actions)

    def run(number: int, action: Callable[[], Any]) -> None:
        try:
            together.wait(10)
            outcomes[number] = action()
        except Exception as error:  # noqa: BLE001  # it is what is asked for
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes
