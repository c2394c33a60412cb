"""What scans of repositories have found."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypedDict

from django.db import transaction
from django.utils import timezone

from features.models import CodeRepository, CodeSighting, Feature
from features.selectors.code import IN_CODE
from projects.models import Project


class Reference(TypedDict):
    """A line that names a feature."""

    feature_name: str
    file_path: str
    line_number: int


@transaction.atomic
def record_scan(
    project: Project, *, url: str, vcs_provider: str, revision: str, references: Sequence[Reference]
) -> tuple[CodeRepository, list[Reference]]:
    """Keep what a scan of a repository has found instead of what the one before it had.

    Returns:
        The repository, and the references to features that there are: others are dropped.
    """
    # Of two scans of one repository the second waits here for the first.
    repository, _ = CodeRepository.objects.update_or_create(
        project=project,
        url=url,
        defaults={"vcs_provider": vcs_provider, "revision": revision, "scanned_at": timezone.now()},
    )
    names = {each["feature_name"] for each in references}
    features = dict(Feature.objects.filter(project=project, name__in=names).values_list("name", "pk"))
    places: dict[int, list[dict[str, object]]] = defaultdict(list)
    kept = [each for each in references if each["feature_name"] in features]
    for each in kept:
        place = {"file_path": each["file_path"], "line_number": each["line_number"]}
        places[features[each["feature_name"]]].append(place)
    repository.sightings.filter(IN_CODE).exclude(feature__in=places).update(places=[])
    CodeSighting.objects.bulk_create(
        [
            CodeSighting(
                repository=repository, feature_id=feature, found_at=repository.scanned_at, places=found
            )
            for feature, found in sorted(places.items())
        ],
        update_conflicts=True,
        unique_fields=["feature", "repository"],
        update_fields=["found_at", "places"],
    )
    return repository, kept
