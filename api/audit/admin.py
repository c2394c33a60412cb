"""The audit log in the admin, to look at: it is written by what changes things."""

from django.contrib import admin

from audit.models import AuditRecord, RowChange
from core.admin import ReadOnlyAdmin


@admin.register(AuditRecord)
class AuditRecordAdmin(ReadOnlyAdmin):
    list_display = [
        "created_date",
        "log",
        "author",
        "master_key_name",
        "organisation",
        "project",
        "environment",
    ]
    list_filter = ["related_object_type", "is_system_event", "created_date"]
    list_select_related = ["author", "organisation", "project", "environment"]
    search_fields = ["log", "author__email", "master_key_name", "project__name", "=related_object_uuid"]
    date_hierarchy = "created_date"
    show_full_result_count = False


@admin.register(RowChange)
class RowChangeAdmin(ReadOnlyAdmin):
    """Every row that was changed, also of what belongs to no organisation: users, their second factors."""

    list_display = ["at", "operation", "table_name", "name", "actor_name", "source", "project_id"]
    list_filter = ["operation", "source", "table_name"]
    search_fields = ["name", "actor_name", "=object_id", "=request_id"]
    show_full_result_count = False
