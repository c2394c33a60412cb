"""Environments in the admin, with their keys; and their revisions, to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin, ServiceAdmin
from environments.models import Environment, EnvironmentRevision, EnvironmentWebhook, ServerSideKey
from environments.services import create_environment, delete_environment, update_environment
from organisations.models import Organisation


class ServerSideKeyInline(admin.TabularInline):
    model = ServerSideKey
    readonly_fields = ["key", "created_at"]
    extra = 0


class WebhookInline(admin.TabularInline):
    model = EnvironmentWebhook
    extra = 0


@admin.register(Environment)
class EnvironmentAdmin(ServiceAdmin):
    list_display = ["name", "project", "organisation", "api_key", "created_date"]
    list_filter = ["allow_client_traits", "hide_disabled_flags", "hide_sensitive_data", "created_date"]
    list_select_related = ["project__organisation"]
    search_fields = ["name", "=uuid", "=api_key", "project__name", "=server_side_keys__key"]
    search_help_text = "Name, project, or a key in full"
    autocomplete_fields = ["project"]
    readonly_fields = ["uuid", "created_date"]
    fixed_fields = ("project",)
    inlines = [ServerSideKeyInline, WebhookInline]

    @admin.display(ordering="project__organisation")
    def organisation(self, environment: Environment) -> Organisation:
        return environment.project.organisation

    def create(self, request: HttpRequest, **fields: Any) -> Environment:
        return create_environment(author=request.user, **fields)

    def update(self, request: HttpRequest, instance: Environment, **changes: Any) -> None:
        update_environment(instance, author=request.user, **changes)

    def remove(self, request: HttpRequest, instance: Environment) -> None:
        delete_environment(instance)


@admin.register(EnvironmentRevision)
class EnvironmentRevisionAdmin(ReadOnlyAdmin):
    list_display = ["environment_id", "project_id", "revision", "updated_at", "gone"]
    list_filter = ["gone", "updated_at"]
    search_fields = ["=environment_id", "=project_id"]
    ordering = ["-updated_at"]
