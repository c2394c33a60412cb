"""`make database`: the embedded PostgreSQL, for working by hand."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from app import embedded_postgres


class Command(BaseCommand):
    help = "Run this checkout's own PostgreSQL, print its URL, and stop it with Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            url = embedded_postgres.start(settings.DATA_DIR / "postgres")
        except embedded_postgres.EmbeddedPostgresError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(url)
        self.stderr.write("PostgreSQL runs until Ctrl-C. Local settings find it by themselves.")
        self.stdout.flush()
        ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, ending)
        signal.sigwait(ending)
