"""`manage.py expireidentities`: how many identities nobody asks for any more; with --delete, delete them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from environments.models import Environment
from identities.expiry import delete_expired_identities, expired_identities


class Command(BaseCommand):
    help = "Count the identities without overrides that no SDK asked for in so many days; or delete them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="Days without a request. Default: IDENTITY_TTL_DAYS.")
        parser.add_argument("--environment", metavar="KEY", help="Client-side key of one environment.")
        parser.add_argument("--delete", action="store_true", help="Delete them, not only count.")

    def handle(self, *args: Any, **options: Any) -> None:
        days = settings.IDENTITY_TTL_DAYS if options["days"] is None else options["days"]
        if days < 1:
            raise CommandError("Say after how many days without a request, at least one: --days.")
        environment = _environment(options["environment"]) if options["environment"] else None
        if not options["delete"]:
            number = expired_identities(days, environment).count()
            self.stdout.write(f"{number} identities would go. Nothing is deleted without --delete.")
            return
        number = sum(delete_expired_identities(days, environment))
        self.stdout.write(f"Deleted {number} identities.")


def _environment(key: str) -> Environment:
    try:
        environment: Environment = Environment.objects.get(api_key=key)
    except Environment.DoesNotExist as error:
        raise CommandError(f"There is no environment with the key {key}.") from error
    return environment
