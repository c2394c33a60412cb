"""`manage.py eraseidentifier`: erase everything that is kept under an identifier."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from identities.erasure import erase_identifier
from organisations.models import Organisation
from projects.models import Project


class Command(BaseCommand):
    help = (
        "Count or erase what is kept under an identifier in all environments of a project or an organisation."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identifier")
        parser.add_argument("--project", type=int, metavar="ID")
        parser.add_argument("--organisation", type=int, metavar="ID")
        parser.add_argument("--erase", action="store_true", help="Erase it, not only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        erased = erase_identifier(
            options["identifier"], _within(options), author=None, dry_run=not options["erase"]
        )
        for what, number in asdict(erased).items():
            self.stdout.write(f"{what.replace('_', ' ')}: {number}")
        self.stdout.write("Erased." if options["erase"] else "Nothing is erased without --erase.")


def _within(options: dict[str, Any]) -> Project | Organisation:
    if (options["project"] is None) == (options["organisation"] is None):
        raise CommandError("Say where: either --project or --organisation.")
    found: Project | Organisation | None = (
        Project.objects.filter(pk=options["project"]).first()
        if options["project"] is not None
        else Organisation.objects.filter(pk=options["organisation"]).first()
    )
    if found is None:
        raise CommandError("There is none with this id.")
    return found
