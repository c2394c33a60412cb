"""Telling what is stale."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q

from features.models import Feature
from features.selectors.lifecycle import unchanged_features
from features.services.system_tags import tag_exactly
from projects.models import Project, Tag, TagType


def tag_stale_features() -> tuple[int, int]:
    """Put the system tag for stale features on all that are, in all projects, and take it off all others.

    Each project is done for itself, so that nobody waits for long.

    Returns:
        How many features got it, and how many lost it.
    """
    put = taken = 0
    for project in _projects():
        stale = unchanged_features(project).values_list("pk", flat=True)
        gained, lost = tag_exactly(project, TagType.STALE, stale)
        put, taken = put + gained, taken + lost
    return put, taken


def _projects() -> Iterator[Project]:
    """Return the projects in which anything may be stale, or was."""
    features = Feature.objects.filter(project=OuterRef("pk"), is_archived=False)
    tags = Tag.objects.filter(project=OuterRef("pk"), type=TagType.STALE)
    projects = Project.objects.filter(Q(Exists(features)) | Q(Exists(tags)))
    return iter(projects.filter(organisation__deleted_at__isnull=True).order_by("pk").iterator())
