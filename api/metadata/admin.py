"""Custom fields in the admin: definitions with what they are attached to, and where they are required."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import RefusingAdmin, ServiceAdmin
from metadata.models import Attachment, CustomField, Requirement
from metadata.services import create_field, delete_field, update_field


class AttachmentInline(admin.TabularInline):
    model = Attachment
    extra = 0
    show_change_link = True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # values hang on it: they would be of another kind of entity


@admin.register(CustomField)
class CustomFieldAdmin(ServiceAdmin):
    list_display = ["name", "type", "organisation", "project"]
    list_filter = ["type", "attachments__kind"]
    list_select_related = ["organisation", "project"]
    search_fields = ["name", "organisation__name", "project__name"]
    autocomplete_fields = ["organisation", "project"]
    fixed_fields = ("organisation",)
    inlines = [AttachmentInline]

    def create(self, request: HttpRequest, **fields: Any) -> CustomField:
        return create_field(**fields)

    def update(self, request: HttpRequest, instance: CustomField, **changes: Any) -> None:
        update_field(instance, **changes)

    def remove(self, request: HttpRequest, instance: CustomField) -> None:
        delete_field(instance)


class RequirementInline(admin.TabularInline):
    model = Requirement
    extra = 0
    autocomplete_fields = ["organisation", "project"]


@admin.register(Attachment)
class AttachmentAdmin(RefusingAdmin):
    list_display = ["field", "kind", "organisation", "project"]
    list_filter = ["kind"]
    list_select_related = ["field__organisation", "field__project"]
    search_fields = ["field__name", "field__organisation__name"]
    autocomplete_fields = ["field"]
    inlines = [RequirementInline]

    @admin.display(ordering="field__organisation")
    def organisation(self, attachment: Attachment) -> Any:
        return attachment.field.organisation

    @admin.display(ordering="field__project")
    def project(self, attachment: Attachment) -> Any:
        return attachment.field.project

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Values hang on it: they would be of another field, or of no kind.
        return ["field", "kind"] if obj else []
