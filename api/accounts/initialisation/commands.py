"""What the commands that begin an installation have in common."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.initialisation.services import first_superuser
from core.errors import InvalidInput, refusal_in_words
from users.models import User


class InitialisationCommand(BaseCommand):
    """Does nothing unless `ALLOW_ADMIN_INITIATION_VIA_CLI` is on: it may stand in a start script."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--email", default=settings.ADMIN_EMAIL, help="the superuser's address; default: ADMIN_EMAIL"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ALLOW_ADMIN_INITIATION_VIA_CLI:
            self.stdout.write("Nothing is created: ALLOW_ADMIN_INITIATION_VIA_CLI is off.")
            return
        try:
            self.initialise(options)
        except InvalidInput as error:
            raise CommandError(refusal_in_words(error)) from error

    def initialise(self, options: dict[str, Any]) -> None:
        raise NotImplementedError


def administrator(email: str) -> User:
    """Return the user with this address, or else the first superuser.

    Raises:
        CommandError: there is neither.
    """
    user = User.objects.filter(email=email.strip().lower()).first() or first_superuser()
    if user is None:
        raise CommandError("There is no superuser who could administer it. See createinitialadminuser.")
    return user
