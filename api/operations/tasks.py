"""Tasks about the server itself."""

from datetime import timedelta

from operations.sizes import remember_sizes
from tasks.registry import HIGHEST_PRIORITY, recurring, task


@task(priority=HIGHEST_PRIORITY, attempts=1, timeout=timedelta(seconds=5), is_kept=False)
def answer_health_check() -> None:
    """Do nothing; that it was done shows by its row, which goes."""


@recurring(every=timedelta(days=1))
def remember_table_sizes() -> None:
    """Remember how large tables are, so that their growth shows."""
    remember_sizes()
