"""Views below `environments/{environment_key}/`."""

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from environments.models import Environment
from permissions.access import may
from permissions.catalogue import MEMBER
from permissions.scoped import ScopedView


class InEnvironment(ScopedView):
    """A view below one environment, which is `self.environment` and one that the caller may use.

    The path names it by its client-side key. An unknown one and one of another organisation look the same:
    403, or 404 for views with `hides_environment`.
    """

    read_permission = "VIEW_ENVIRONMENT"
    hides_environment: ClassVar[bool] = False

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        _ = self.environment

    def surroundings(self) -> Iterator[Model]:
        yield self.environment

    @cached_property
    def environment(self) -> Environment:
        """The environment in the path, with its project.

        Raises:
            NotFound, PermissionDenied: there is none, or none for this caller and action.
        """
        environment = self.named_environment()
        if environment is not None and self.may_enter(environment):
            return environment
        is_known = environment is not None and may(self.request.user, MEMBER, environment)
        raise NotFound if self.hides_environment and not is_known else PermissionDenied

    def named_environment(self) -> Environment | None:
        """Return what the path names, whoever asks."""
        return environment_with(self.kwargs["environment_key"])


class InEnvironmentById(InEnvironment):
    """A view below one environment whose path names it by its number."""

    def named_environment(self) -> Environment | None:
        environments: QuerySet[Environment] = Environment.objects.select_related("project")
        return environments.filter(pk=self.kwargs["environment_pk"], project__deleted_at__isnull=True).first()


def environment_with(key: str) -> Environment | None:
    """Return the environment with this client-side key, and its project, neither of them deleted."""
    if "\0" in key:  # which PostgreSQL refuses to look for
        return None
    environments: QuerySet[Environment] = Environment.objects.select_related("project")
    return environments.filter(api_key=key, project__deleted_at__isnull=True).first()
