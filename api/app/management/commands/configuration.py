"""`make docs`: the page and the example file that have every variable there is."""

from typing import Any

from django.core.management.base import BaseCommand

from app import configuration


class Command(BaseCommand):
    help = "Write docs/configuration.md and .env.example anew."
    requires_system_checks: list[str] = []  # it needs no database

    def handle(self, *args: Any, **options: Any) -> None:
        variables = configuration.declared()
        configuration.DOCUMENT.write_text(configuration.document(variables, configuration.notes()))
        configuration.EXAMPLE.write_text(configuration.example(variables))
