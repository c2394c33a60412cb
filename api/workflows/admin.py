"""Change requests in the admin: to be looked at. They are made, approved and committed by the API."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from workflows.models import Approval, ChangeRequest, Comment, GroupAssignment, RequestedChange


class _Shown(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RequestedChangeInline(_Shown):
    model = RequestedChange
    readonly_fields = [
        "kind",
        "feature",
        "segment",
        "live_from",
        "applied_at",
        "given_up_at",
        "reason",
        "content",
    ]


class ApprovalInline(_Shown):
    model = Approval
    readonly_fields = ["user", "is_requested", "approved_at"]


class GroupAssignmentInline(_Shown):
    model = GroupAssignment
    readonly_fields = ["group"]


class CommentInline(_Shown):
    model = Comment
    readonly_fields = ["user", "user_key_name", "created_at", "text"]


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnlyAdmin):
    list_display = ["title", "project", "environment", "user", "created_at", "committed_at", "committed_by"]
    list_filter = [("committed_at", admin.EmptyFieldListFilter), "ignore_conflicts", "created_at"]
    list_select_related = ["project", "environment", "user", "committed_by"]
    search_fields = ["title", "environment__name", "project__name"]
    inlines = [RequestedChangeInline, ApprovalInline, GroupAssignmentInline, CommentInline]
