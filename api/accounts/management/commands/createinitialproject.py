"""The first project, without a browser."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from accounts.initialisation.commands import InitialisationCommand, administrator
from accounts.initialisation.services import create_first_project


class Command(InitialisationCommand):
    help = "Create a project where there is none yet, with ALLOW_ADMIN_INITIATION_VIA_CLI on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--project-name", default=settings.PROJECT_NAME, help="its name; default: PROJECT_NAME"
        )

    def initialise(self, options: dict[str, Any]) -> None:
        project = create_first_project(administrator(options["email"]), options["project_name"])
        self.stdout.write(
            f"Created the project {project}." if project else "There is a project already: none is created."
        )
