"""The first organisation, without a browser."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from accounts.initialisation.commands import InitialisationCommand, administrator
from accounts.initialisation.services import create_first_organisation


class Command(InitialisationCommand):
    help = "Create an organisation where there is none yet, with ALLOW_ADMIN_INITIATION_VIA_CLI on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--organisation-name",
            default=settings.ORGANISATION_NAME,
            help="its name; default: ORGANISATION_NAME",
        )

    def initialise(self, options: dict[str, Any]) -> None:
        organisation = create_first_organisation(
            administrator(options["email"]), options["organisation_name"]
        )
        self.stdout.write(
            f"Created the organisation {organisation}."
            if organisation
            else "There is an organisation already: none is created."
        )
