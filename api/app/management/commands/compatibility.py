"""`make docs`: the page that says how much of Flagsmith's API there is."""

from typing import Any

from django.core.management.base import BaseCommand

from app.compatibility import DOCUMENT, document


class Command(BaseCommand):
    help = "Write docs/compatibility.md anew."
    requires_system_checks: list[str] = []  # it needs no database

    def handle(self, *args: Any, **options: Any) -> None:
        DOCUMENT.write_text(document())
