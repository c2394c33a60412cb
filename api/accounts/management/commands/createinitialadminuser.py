"""The first superuser, without a browser."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from accounts.initialisation.commands import InitialisationCommand
from accounts.initialisation.links import password_link
from accounts.initialisation.services import AlreadyInitialisedError, create_first_superuser


class Command(InitialisationCommand):
    help = "Create a superuser where there is no user yet, with ALLOW_ADMIN_INITIATION_VIA_CLI on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--username", default=settings.ADMIN_USERNAME, help="their user name; default: ADMIN_USERNAME"
        )
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from standard input; default: ADMIN_INITIAL_PASSWORD",
        )

    def initialise(self, options: dict[str, Any]) -> None:
        password = settings.ADMIN_INITIAL_PASSWORD
        if options["password_stdin"]:
            password = sys.stdin.readline().rstrip("\r\n")
        try:
            user = create_first_superuser(options["email"], username=options["username"], password=password)
        except AlreadyInitialisedError:
            self.stdout.write("There is a user already: no superuser is created.")
            return
        self.stdout.write(f"Created the superuser {user.email}.")
        if not user.has_usable_password():
            self.stdout.write(f"Choose the password at {password_link(user)}")
