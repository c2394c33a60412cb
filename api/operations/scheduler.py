"""`/scheduler/jobs/`: which tasks recur, when each is due next, and how its last run went. Read-only."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Problem
from core.service_routes.key import ServiceClient, ServiceKeyAuthentication, ServiceView
from tasks.models import Job, RecurringTask


class IsStaffOrService(BasePermission):
    """Staff, or whoever has the service key."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, ServiceClient) or bool(getattr(request.user, "is_staff", False))


class RunSerializer(serializers.ModelSerializer):
    """One turn of a recurring task."""

    class Meta:
        model = Job
        fields = ["state", "due_at", "started_at", "finished_at", "attempts", "last_error"]


class RecurringTaskSerializer(serializers.ModelSerializer):
    """A task that runs by itself. All times are in UTC."""

    every_seconds = serializers.SerializerMethodField()
    last_run = serializers.SerializerMethodField()

    class Meta:
        model = RecurringTask
        fields = [
            "name",
            "every_seconds",
            "next_due_at",
            "is_enabled",
            "failures_in_a_row",
            "last_run_at",
            "last_run",
        ]

    def get_every_seconds(self, task: RecurringTask) -> float:
        return task.every.total_seconds()

    @extend_schema_field(RunSerializer(allow_null=True))
    def get_last_run(self, task: RecurringTask) -> dict[str, Any] | None:
        run = self.context["runs"].get(task.name)
        return RunSerializer(run).data if run else None


class JobsView(ServiceView):
    authentication_classes = [ServiceKeyAuthentication, *APIView.authentication_classes]
    permission_classes = [IsStaffOrService]

    def is_there(self) -> bool:
        return bool(settings.SCHEDULER_API_ENABLED)

    @extend_schema(
        operation_id="list_scheduler_jobs",
        tags=["operations"],
        responses={200: RecurringTaskSerializer(many=True), 401: Problem, 403: Problem, 404: Problem},
    )
    def get(self, request: Request) -> Response:
        """List the tasks that recur, with the last run of each; only with `SCHEDULER_API_ENABLED`."""
        last = Job.objects.filter(due_at__isnull=False).order_by("task", "-due_at").distinct("task")
        runs = {run.task: run for run in last}
        tasks = RecurringTask.objects.all()
        return Response(RecurringTaskSerializer(tasks, many=True, context={"runs": runs}).data)
