"""What change requests do when their time has come."""

from tasks.registry import HIGHEST_PRIORITY, task
from workflows.services.carrying_out import carry_out_due


@task(priority=HIGHEST_PRIORITY, attempts=10, in_transaction=True)
def carry_out_scheduled_change(*, change: int) -> None:
    """Make a change that was scheduled, unless it was taken back, and what else is due of its feature."""
    carry_out_due(change)
