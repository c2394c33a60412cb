from environments.models.environment import Environment, ServerSideKey
from environments.models.revisions import EnvironmentRevision, ProjectRevision, PublishedRevision, Touch
from environments.models.webhook import EnvironmentWebhook

__all__ = [
    "Environment",
    "EnvironmentRevision",
    "EnvironmentWebhook",
    "ProjectRevision",
    "PublishedRevision",
    "ServerSideKey",
    "Touch",
]
