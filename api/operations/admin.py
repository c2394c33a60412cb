"""How large tables were, day by day."""

from django.contrib import admin
from django.template.defaultfilters import filesizeformat

from core.admin import ReadOnlyAdmin
from operations.models import TableSize


@admin.register(TableSize)
class TableSizeAdmin(ReadOnlyAdmin):
    list_display = ["measured_at", "table", "size", "rows"]
    list_filter = ["table"]
    date_hierarchy = "measured_at"
    search_fields = ["table"]
    show_full_result_count = False

    @admin.display(ordering="bytes")
    def size(self, measured: TableSize) -> str:
        return filesizeformat(measured.bytes)
