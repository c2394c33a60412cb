"""Views below `projects/{project_pk}/`."""

from collections.abc import Iterator
from functools import cached_property

from django.db.models import Model
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from permissions.access import may
from permissions.scoped import ScopedView
from projects.models import Project


class InProject(ScopedView):
    """A view below one project, which is `self.project` and one that the caller may use.

    Who may see the project and not do this gets 403. For others the project doesn't exist: they get 404
    where `hides_project`, which is for reading unless the view says otherwise, else 403.
    """

    read_permission = "VIEW_PROJECT"

    @property
    def hides_project(self) -> bool:
        return self.reads

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        _ = self.project

    def surroundings(self) -> Iterator[Model]:
        yield self.project

    @cached_property
    def project(self) -> Project:
        """The project in the path.

        Raises:
            NotFound, PermissionDenied: there is none, or none for this caller and action.
        """
        project: Project | None = Project.objects.filter(pk=self.kwargs["project_pk"]).first()
        if project is not None and self.may_enter(project):
            return project
        sees = project is not None and may(self.request.user, "VIEW_PROJECT", project)
        raise NotFound if self.hides_project and not sees else PermissionDenied
