"""What the history needs to have done for itself."""

from datetime import time, timedelta

from audit.retention import forget_old_changes as forget
from tasks.registry import recurring


@recurring(every=timedelta(days=1), at=time(3))
def forget_old_changes() -> None:
    """Delete the history's rows that are older than they are to be kept."""
    forget()
