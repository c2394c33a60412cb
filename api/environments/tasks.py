"""What revisions need to have done."""

from datetime import time, timedelta

from environments.retention import forget_old_revisions as forget
from tasks.registry import recurring


@recurring(every=timedelta(days=1), at=time(3, 10))
def forget_old_revisions() -> None:
    """Delete what is known of revisions that were made longer ago than the history is kept."""
    forget()
