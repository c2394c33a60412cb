"""Tenants that stand for a whole module: building one takes longer than what is asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from app.tests.world import World, build_world


@contextmanager
def standing(blocker: Any, *markers: str) -> Iterator[list[World]]:
    """Build a world for each of `markers`, and undo them in the end. Each test inside is undone by itself.

    Args:
        blocker: pytest-django's `django_db_blocker`. The fixture that calls this needs `django_db_setup`.
    """
    with blocker.unblock(), transaction.atomic():
        worlds = [build_world(marker) for marker in markers]
        # Runs what waits for a commit, or a request would seem to have done it.
        connection.check_constraints()
        yield worlds
        transaction.set_rollback(True)
