"""Prerequisites in the admin, to look at: which feature needs which, and where one is needed."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from features.models import Prerequisite


@admin.register(Prerequisite)
class PrerequisiteAdmin(ReadOnlyAdmin):
    list_display = ["feature", "required_feature", "environment", "enabled", "value", "variant"]
    list_select_related = ["feature", "required_feature", "environment__project"]
    search_fields = ["feature__name", "required_feature__name", "environment__name"]
    search_help_text = "Name of either feature, or of the environment"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prerequisite]:
        rows: QuerySet[Prerequisite] = super().get_queryset(request)
        return rows.filter(feature__deleted_at__isnull=True, environment__deleted_at__isnull=True)
