"""Jobs in the admin: what waits, runs, went wrong; and a second chance for what did."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from core.admin import ReadOnlyAdmin
from tasks import services
from tasks.models import Job, RecurringTask
from tasks.sealing import is_sealed


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        "task",
        "state",
        "attempts_made",
        "run_at",
        "started_at",
        "finished_at",
        "worker",
        "error",
    ]
    list_filter = ["state", "task"]
    search_fields = ["=id", "=key", "task", "last_error"]
    show_full_result_count = False
    exclude = ["arguments", "lease_token"]
    readonly_fields = ["called_with"]
    actions = ["run_again", "discard"]

    @admin.display(description="attempts")
    def attempts_made(self, job: Job) -> str:
        return f"{job.attempts} of {job.most_attempts}"

    @admin.display(description="last error")
    def error(self, job: Job) -> str:
        return job.last_error[:120]

    @admin.display(description="arguments")
    def called_with(self, job: Job) -> str:
        if is_sealed(job.arguments):
            return "sealed"
        return format_html("<pre>{}</pre>", json.dumps(job.arguments, indent=2, ensure_ascii=False))

    @admin.action(description="Run dead or discarded jobs again")
    def run_again(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self.message_user(request, f"{services.retry(jobs)} will be run again.", messages.SUCCESS)

    @admin.action(description="Discard waiting or dead jobs")
    def discard(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self.message_user(request, f"{services.discard(jobs)} were discarded.", messages.SUCCESS)


@admin.register(RecurringTask)
class RecurringTaskAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "every",
        "is_enabled",
        "next_due_at",
        "last_run_at",
        "failures_in_a_row",
        "seen_at",
    ]
    list_filter = ["is_enabled"]
    actions = ["switch_on"]

    @admin.action(description="Switch on, and run soon")
    def switch_on(self, request: HttpRequest, recurring: QuerySet[RecurringTask]) -> None:
        self.message_user(request, f"{services.switch_on(recurring)} were switched on.", messages.SUCCESS)
