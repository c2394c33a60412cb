"""What the audit log says of changes that were taken back, or carried over, as wholes.

What became of each state has records of its own.
"""

from audit.models import RelatedObjectType
from audit.services import Author, record
from environments.models import Environment


def rolled_back(environment: Environment, revision: int, *, author: Author) -> None:
    _of_environment(
        f"Revision {revision} rolled back in environment '{environment.name}'", environment, author
    )


def promoted(source: Environment, target: Environment, features: int, *, author: Author) -> None:
    log = f"Promoted from environment '{source.name}' to '{target.name}': features changed: {features}"
    _of_environment(log, target, author)


def _of_environment(log: str, environment: Environment, author: Author) -> None:
    record(
        log,
        author=author,
        related_object=environment,
        related_object_type=RelatedObjectType.ENVIRONMENT,
        organisation_id=environment.project.organisation_id,
        project_id=environment.project_id,
        environment_id=environment.pk,
    )
