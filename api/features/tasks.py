"""What is done about features in the background."""

from datetime import timedelta

from features.services import lifecycle
from tasks.registry import recurring


@recurring(every=timedelta(days=1))
def tag_stale_features() -> None:
    """Tag what is stale, and take the tag off what isn't any more."""
    lifecycle.tag_stale_features()
