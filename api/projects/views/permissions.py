"""What users and groups were granted on a project. For its administrators."""

from typing import Any

from rest_framework import viewsets

from organisations.views.grants import GrantsView
from permissions.catalogue import ADMIN
from permissions.models import ProjectGrant
from projects.scope import InProject
from projects.serializers.permissions import (
    ListedProjectGroupPermissionsSerializer,
    ListedProjectUserPermissionsSerializer,
    ProjectGroupPermissionsSerializer,
    ProjectUserPermissionsSerializer,
)


class ProjectGrantsView(InProject, GrantsView, viewsets.ModelViewSet):
    """What was granted on a project."""

    queryset = ProjectGrant.objects.all()
    read_permission = ADMIN
    hides_project = False

    @property
    def target(self) -> Any:
        return self.project


class ProjectUserPermissionsViewSet(ProjectGrantsView):
    """What single users were granted on a project."""

    serializer_class = ProjectUserPermissionsSerializer
    listed_serializer_class = ListedProjectUserPermissionsSerializer


class ProjectGroupPermissionsViewSet(ProjectGrantsView):
    """What groups were granted on a project."""

    serializer_class = ProjectGroupPermissionsSerializer
    listed_serializer_class = ListedProjectGroupPermissionsSerializer
    listed_with = ("group__users",)
