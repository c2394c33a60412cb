"""What SDKs counted, to look at: the numbers are theirs, so nobody edits them here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from analytics.models import FeatureEvaluationBucket, IdentityEvaluationBucket


class CountsAdmin(admin.ModelAdmin):
    """A list that shows counts and changes none."""

    list_filter = ["started_at"]
    date_hierarchy = "started_at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(FeatureEvaluationBucket)
class FeatureEvaluationBucketAdmin(CountsAdmin):
    list_display = ["feature_name", "environment_id", "started_at", "total_count"]
    search_fields = ["feature_name", "=environment_id"]


@admin.register(IdentityEvaluationBucket)
class IdentityEvaluationBucketAdmin(CountsAdmin):
    list_display = [
        "feature_name",
        "identity_identifier",
        "enabled_when_evaluated",
        "environment_id",
        "started_at",
        "total_count",
    ]
    search_fields = ["feature_name", "identity_identifier", "=environment_id"]
