"""A new installation's superuser, organisation and project, without a browser."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from accounts.initialisation.commands import InitialisationCommand
from accounts.initialisation.services import first_superuser, is_initialised

# What each takes of this command's options.
_STEPS = {
    "createinitialadminuser": ["email"],
    "createinitialorganisation": ["email", "organisation_name"],
    "createinitialproject": ["email", "project_name"],
}


class Command(InitialisationCommand):
    help = (
        "Create a superuser, an organisation and a project, each where there is none yet, "
        "with ALLOW_ADMIN_INITIATION_VIA_CLI on. May run at every start."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--organisation-name", default=settings.ORGANISATION_NAME)
        parser.add_argument("--project-name", default=settings.PROJECT_NAME)

    @transaction.atomic
    def initialise(self, options: dict[str, Any]) -> None:
        if is_initialised() and first_superuser() is None:
            # Users of another making. A start script must not fail over them.
            self.stdout.write("Nothing is created: there are users, and no superuser among them.")
            return
        for command, names in _STEPS.items():
            call_command(command, stdout=self.stdout, **{name: options[name] for name in names})
