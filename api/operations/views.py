"""Routes for those who run a server: probes, monitoring, dashboards that ask how it is set up."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.postgres import cut_off_after
from core.service_routes.key import ServiceKeyAuthentication
from operations import health, version
from operations.overrides import as_script, project_overrides
from operations.scheduler import IsStaffOrService
from operations.sizes import FORECAST_DAYS, REMEMBERED_DAYS, sizes
from tasks.services import number_waiting
from users.models import User

_HTML, _JSON = "text/html", "application/json"
_DATABASE_SECONDS = 2.0


class Unnegotiated(BaseContentNegotiation):
    """Leaves what is accepted to the view: there is one answer, whatever a probe asks for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class OperationsView(APIView):
    """Answers everybody, and looks at nobody's session: the database may be away."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []
    content_negotiation_class = Unnegotiated


class LivenessSerializer(serializers.Serializer):
    status = serializers.CharField()


class LivenessView(OperationsView):
    @extend_schema(operation_id="health_liveness", tags=["operations"], responses=LivenessSerializer)
    def get(self, request: Request) -> Response:
        """Tell that this process answers. It looks at nothing else."""
        return Response({"status": "ok"})


class HealthView(OperationsView):
    """Which checks pass."""

    def examine(self, request: HttpRequest, *, is_readiness: bool = False) -> HttpResponse:
        """Tell which checks pass; 500 where one fails that the server can't do without."""
        kind = _JSON if request.GET.get("format") == "json" else request.get_preferred_type([_HTML, _JSON])
        if kind is None:
            return HttpResponse(status=406)
        found = health.examine()
        is_degraded = is_readiness and found.is_degraded
        status = 200 if found.works or is_degraded else 500
        if kind == _JSON:
            words = {finding.name: finding.words for finding in found.findings}
            return JsonResponse(words | ({"status": "degraded"} if is_degraded else {}), status=status)
        shown = {"works": found.works, "is_degraded": is_degraded, "findings": found.findings}
        return render(request, "operations/health.html", shown, status=status)

    @classmethod
    def described(cls, operation_id: str, *, is_readiness: bool = False) -> type["HealthView"]:
        """Return this view under an operation id of its own: several paths lead to it.

        Args:
            is_readiness: whether it is enough to serve flags without the database.
        """

        def get(self: HealthView, request: HttpRequest) -> HttpResponse:
            return self.examine(request, is_readiness=is_readiness)

        get.__doc__ = cls.examine.__doc__
        answer = {(status, _JSON): OpenApiTypes.OBJECT for status in (200, 500)}
        describe = extend_schema(
            operation_id=operation_id,
            tags=["operations"],
            parameters=[OpenApiParameter("format", str, enum=["json"])],
            responses={**answer, 406: None},
        )
        view: type[HealthView] = type(operation_id, (cls,), {"get": describe(get), "__doc__": cls.__doc__})
        return view


class SelfHostedSerializer(serializers.Serializer):
    has_users = serializers.BooleanField()
    has_logins = serializers.BooleanField()


class BuildSerializer(serializers.Serializer):
    """Which version of what runs here."""

    ci_commit_sha = serializers.CharField()
    image_tag = serializers.CharField()
    has_email_provider = serializers.BooleanField()
    is_enterprise = serializers.BooleanField()
    is_saas = serializers.BooleanField()
    self_hosted_data = SelfHostedSerializer(allow_null=True)
    package_versions = serializers.DictField(child=serializers.CharField())


class VersionView(OperationsView):
    @extend_schema(operation_id="version_retrieve", tags=["operations"], responses=BuildSerializer)
    def get(self, request: Request) -> Response:
        """Tell which version this is, and whether anybody has begun to use it."""
        versions = version.package_versions()
        return Response(
            {
                "ci_commit_sha": version.commit(),
                "image_tag": versions.get(".", version.UNKNOWN),
                "has_email_provider": version.can_send_mail(),
                "is_enterprise": False,
                "is_saas": False,
                "self_hosted_data": _use_so_far(),
                "package_versions": versions,
            }
        )


class ProjectOverridesView(OperationsView):
    @extend_schema(
        operation_id="config_project_overrides",
        tags=["operations"],
        responses={(200, "application/javascript"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponse:
        """Tell a dashboard how this server is set up, by JavaScript that sets `window.projectOverrides`."""
        return HttpResponse(as_script(project_overrides()), content_type="application/javascript")


class RobotsView(OperationsView):
    @extend_schema(
        operation_id="robots", tags=["operations"], responses={(200, "text/plain"): OpenApiTypes.STR}
    )
    def get(self, request: Request) -> HttpResponse:
        """Ask search engines to stay away."""
        return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


class MonitoringSerializer(serializers.Serializer):
    waiting = serializers.IntegerField()


class MonitoringView(APIView):
    authentication_classes = [ServiceKeyAuthentication, *APIView.authentication_classes]
    permission_classes = [IsStaffOrService]

    @extend_schema(operation_id="processor_monitoring", tags=["operations"], responses=MonitoringSerializer)
    def get(self, request: Request) -> Response:
        """Tell how many jobs are due and wait to be run."""
        return Response({"waiting": number_waiting()})


class SizeSerializer(serializers.Serializer):
    bytes = serializers.IntegerField(help_text="With indexes.")
    bytes_a_day = serializers.IntegerField(
        allow_null=True, help_text="What it has grown by; null until something is known of the days before."
    )
    expected_bytes = serializers.IntegerField(
        allow_null=True, help_text=f"What it will be in {FORECAST_DAYS} days if it goes on growing like that."
    )


class SizeOfTableSerializer(SizeSerializer):
    table = serializers.CharField()
    rows = serializers.IntegerField(help_text="As many as the database estimates.")


class SizesSerializer(serializers.Serializer):
    measured_days = serializers.FloatField(
        allow_null=True, help_text=f"Over how many days growth was measured: {REMEMBERED_DAYS} at most."
    )
    database = SizeSerializer()
    tables = SizeOfTableSerializer(many=True)


class SizesView(APIView):
    permission_classes = [IsAdminUser]

    @extend_schema(operation_id="database_sizes", tags=["operations"], responses=SizesSerializer)
    def get(self, request: Request) -> Response:
        """Tell how large the database and its tables are, the largest first, and how fast they grow."""
        return Response(SizesSerializer(sizes()).data)


class MetricsView(OperationsView):
    @extend_schema(
        operation_id="metrics",
        tags=["operations"],
        responses={(200, "text/plain"): OpenApiTypes.STR, 404: None},
    )
    def get(self, request: Request) -> HttpResponse:
        """Show the figures of all processes of this server to Prometheus, with `PROMETHEUS_ENABLED`."""
        if not settings.PROMETHEUS_ENABLED:
            raise Http404
        from operations.metrics.page import page  # the library is loaded where it is wanted

        text, content_type = page()
        return HttpResponse(text, content_type=content_type)


def _use_so_far() -> dict[str, bool] | None:
    """Return whether there are users; None where the database doesn't say."""
    try:
        with cut_off_after(_DATABASE_SECONDS, connection):
            return {
                "has_users": User.objects.exists(),
                "has_logins": User.objects.filter(last_login__isnull=False).exists(),
            }
    except (DatabaseError, InterfaceError):
        connection.close()
        return None
