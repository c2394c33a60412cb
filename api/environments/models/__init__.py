from environments.models.environment import Environment, ServerSideKey
from environments.models.revisions import EnvironmentRevision, ProjectRevision, Touch

__all__ = ["Environment", "EnvironmentRevision", "ProjectRevision", "ServerSideKey", "Touch"]
