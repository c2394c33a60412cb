"""Projects and tags in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import ServiceAdmin
from projects.models import Project, Tag
from projects.services import (
    create_project,
    create_tag,
    delete_project,
    delete_tag,
    update_project,
    update_tag,
)


@admin.register(Project)
class ProjectAdmin(ServiceAdmin):
    list_display = ["name", "organisation", "created_date", "hide_disabled_flags", "enable_realtime_updates"]
    list_filter = ["hide_disabled_flags", "enable_realtime_updates", "created_date"]
    list_select_related = ["organisation"]
    search_fields = ["name", "=uuid", "organisation__name"]
    autocomplete_fields = ["organisation"]
    readonly_fields = ["uuid", "created_date"]
    fixed_fields = ("organisation",)

    def create(self, request: HttpRequest, **fields: Any) -> Project:
        return create_project(creator=request.user, **fields)

    def update(self, request: HttpRequest, instance: Project, **changes: Any) -> None:
        update_project(instance, **changes)

    def remove(self, request: HttpRequest, instance: Project) -> None:
        delete_project(instance)


@admin.register(Tag)
class TagAdmin(ServiceAdmin):
    list_display = ["label", "project", "color", "is_permanent", "is_system_tag", "type"]
    list_filter = ["is_permanent", "is_system_tag", "type"]
    list_select_related = ["project"]
    search_fields = ["label", "=uuid", "project__name"]
    autocomplete_fields = ["project"]
    readonly_fields = ["uuid", "is_system_tag", "type"]
    fixed_fields = ("project",)

    def create(self, request: HttpRequest, **fields: Any) -> Tag:
        return create_tag(**fields)

    def update(self, request: HttpRequest, instance: Tag, **changes: Any) -> None:
        update_tag(instance, **changes)

    def remove(self, request: HttpRequest, instance: Tag) -> None:
        delete_tag(instance)
