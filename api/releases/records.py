"""What the audit log says of changes that were taken back, or carried over, as wholes.

What became of each state has records of its own.
"""

from audit.services import Author
from environments.models import Environment
from environments.services import record_of_environment


def rolled_back(environment: Environment, revision: int, *, author: Author) -> None:
    log = f"Revision {revision} rolled back in environment '{environment.name}'"
    record_of_environment(log, environment, author=author)


def promoted(source: Environment, target: Environment, features: int, *, author: Author) -> None:
    log = f"Promoted from environment '{source.name}' to '{target.name}': features changed: {features}"
    record_of_environment(log, target, author=author)
