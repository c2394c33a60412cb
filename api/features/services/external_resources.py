"""What features are linked to."""

from typing import Any

from django.db import transaction

from core.errors import InvalidInput
from features.models import ExternalResource, Feature, ResourceType

_OF_GITHUB = {ResourceType.GITHUB_ISSUE, ResourceType.GITHUB_PR}


@transaction.atomic
def link(
    feature: Feature, *, url: str, type: str, metadata: dict[str, Any] | None = None
) -> ExternalResource:
    """Link a feature to an issue, a pull request or a merge request.

    Raises:
        InvalidInput: it is GitHub's: nothing here is integrated with GitHub.
        IntegrityError: it is linked to that URL already.
    """
    if type in _OF_GITHUB:
        raise InvalidInput({"detail": "This Project doesn't have a valid GitHub integration configuration"})
    return ExternalResource.objects.create(feature=feature, url=url, type=type, metadata=metadata)
