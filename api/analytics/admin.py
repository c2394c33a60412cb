"""What SDKs counted, to look at: the numbers are theirs, so nobody edits them here."""

from django.contrib import admin

from analytics.models import (
    CountsWriter,
    FeatureEvaluationBucket,
    IdentityEvaluationBucket,
    RequestBucket,
)
from core.admin import ReadOnlyAdmin


class CountsAdmin(ReadOnlyAdmin):
    """A list of counts."""

    list_filter = ["started_at"]
    date_hierarchy = "started_at"
    show_full_result_count = False


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


@admin.register(RequestBucket)
class RequestBucketAdmin(CountsAdmin):
    list_display = [
        "resource",
        "environment_id",
        "started_at",
        "total_count",
        "user_agent",
        "application_name",
        "application_version",
    ]
    list_filter = [*CountsAdmin.list_filter, "resource"]
    search_fields = ["=environment_id", "user_agent", "application_name"]


@admin.register(CountsWriter)
class CountsWriterAdmin(ReadOnlyAdmin):
    list_display = ["id", "batch", "written_at"]
