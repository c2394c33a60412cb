"""`manage.py publish --all`: make every SDK read again, after a restore or a failover."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from environments.models import Environment
from environments.publishing import NotPublishing, publish, publish_all


class Command(BaseCommand):
    help = "Publish environments anew, as if they had changed. Run it with --all after restoring a database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("keys", nargs="*", metavar="KEY", help="Client-side keys of environments.")
        parser.add_argument("--all", action="store_true", help="All environments.")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = set(options["keys"])
        if bool(keys) == options["all"]:
            raise CommandError("Say which: either --all or keys of environments.")
        try:
            number = publish_all() if options["all"] else _publish_those(keys)
        except NotPublishing as error:
            raise CommandError(f"{error} `manage.py check --database default` says which.") from error
        self.stdout.write(f"Published {number} environment{'' if number == 1 else 's'}.")


def _publish_those(keys: set[str]) -> int:
    environments = list(Environment.objects.filter(api_key__in=keys))
    if unknown := keys - {each.api_key for each in environments}:
        raise CommandError(f"There is no environment with the key {', '.join(sorted(unknown))}.")
    publish(environments)
    return len(environments)
