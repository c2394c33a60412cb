"""What is connected with which services, to look at. Their keys aren't shown."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from integrations.models import Integration


@admin.register(Integration)
class IntegrationAdmin(ReadOnlyAdmin):
    list_display = ["kind", "organisation", "project", "environment", "failures", "paused_until"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["organisation", "project", "environment"]
    search_fields = ["organisation__name", "project__name", "environment__name"]
    fields = [
        "kind",
        "organisation",
        "project",
        "environment",
        "settings",
        "created_at",
        "failures",
        "paused_until",
        "last_error",
    ]
