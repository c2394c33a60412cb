"""Tasks about the server itself."""

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from operations.sizes import remember_sizes
from operations.telemetry import report
from tasks.registry import HIGHEST_PRIORITY, recurring, task
from users.models import User

logger = logging.getLogger(__name__)


@task(priority=HIGHEST_PRIORITY, attempts=1, timeout=timedelta(seconds=5), is_kept=False)
def answer_health_check() -> None:
    """Do nothing; that it was done shows by its row, which goes."""


@recurring(every=timedelta(days=1))
def remember_table_sizes() -> None:
    """Remember how large tables are, so that their growth shows."""
    remember_sizes()


@recurring(every=timedelta(seconds=settings.COUNT_USERS_EVERY_SECONDS))
def count_users() -> None:
    """Log how many users there are: an example of a task that recurs."""
    logger.info(
        "There are %d users at %s.", User.objects.count(), timezone.now().isoformat(timespec="seconds")
    )


@recurring(every=timedelta(days=1))
def report_telemetry() -> None:
    """Tell the server that the settings name, if they name one, how much there is here."""
    report()
