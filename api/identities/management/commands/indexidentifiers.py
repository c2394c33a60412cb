"""`manage.py indexidentifiers`: make searching identities by a part of their identifier fast."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identities.searching import ExtensionMissing, drop_index, make_index


class Command(BaseCommand):
    help = "Index the parts of identifiers, by PostgreSQL's extension pg_trgm, while everything runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--drop", action="store_true", help="Drop the index instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["drop"]:
            drop_index()
            self.stdout.write("Parts of identifiers are no longer indexed.")
            return
        try:
            make_index()
        except ExtensionMissing as error:
            raise CommandError(
                "This PostgreSQL server doesn't have the extension pg_trgm; it comes with its package "
                "of contributed extensions. Searching works without it, more slowly."
            ) from error
        self.stdout.write("Parts of identifiers are indexed.")
