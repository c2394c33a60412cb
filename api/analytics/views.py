"""What has been counted of an organisation's requests, and of a feature's evaluations."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.selectors import (
    evaluations_by_step,
    evaluations_in_steps_of,
    first_evaluation_in,
    number_of_requests,
    requests_by_step,
    requests_of_days,
)
from analytics.serializers import (
    BILLING_PERIODS,
    DAYS_OF_PERIOD,
    HOUR,
    EvaluationEventsQuery,
    EvaluationEventsSerializer,
    EvaluationQuery,
    EvaluationsOfDaySerializer,
    EventsListSerializer,
    EventsQuery,
    EventsSerializer,
    KnownOnboardingStatusSerializer,
    LabelsQuery,
    OnboardingStatusSerializer,
    TotalSerializer,
    UsageQuery,
    UsageSerializer,
)
from analytics.services import note_first_evaluation
from core.errors import InvalidInput
from environments.models import Environment
from environments.scope import environment_with
from features.models import Feature
from organisations.scope import InOrganisation
from permissions.access import require
from permissions.catalogue import ADMIN
from projects.scope import InProject

DAY = timedelta(days=1)
# What version 2 of the endpoint for reporting tells of an evaluation.
EVALUATED = ("identity_identifier", "enabled_when_evaluated")


class UsageView(InOrganisation):
    """The requests to an organisation's environments, by day or hour and by client."""

    read_permission = ADMIN

    @extend_schema(
        operation_id="list_organisation_usage",
        tags=["analytics"],
        parameters=[UsageQuery],
        responses=UsageSerializer(many=True),
    )
    def get(self, request: Request, **path: Any) -> Response:
        query = UsageQuery.read(request)
        if query.get("period") in BILLING_PERIODS:
            raise NotFound("There are no billing periods.")
        days = DAYS_OF_PERIOD.get(query.get("period", ""), 30)
        labels = {
            "user_agent": query.get("user_agent"),
            "application_name": query.get("client_application_name"),
            "application_version": query.get("client_application_version"),
        }
        rows = requests_by_step(
            self._environment_ids(query),
            since=timezone.now() - timedelta(days=days),
            labels={name: label for name, label in labels.items() if label is not None},
            hourly=query["step"] == HOUR,
        )
        return Response(UsageSerializer(rows, many=True).data)

    def _environment_ids(self, query: dict[str, Any]) -> list[int]:
        # What is deleted meanwhile has been asked for all the same.
        environments = Environment.all_objects.filter(project__organisation=self.organisation)
        if "project_id" in query:
            environments = environments.filter(project=query["project_id"])
        if "environment_id" in query:
            environments = environments.filter(pk=query["environment_id"])
        return list(environments.values_list("pk", flat=True))


class TotalUsageView(UsageView):
    """The number of requests to an organisation's environments in the last thirty days."""

    @extend_schema(operation_id="get_organisation_usage_total", tags=["analytics"], responses=TotalSerializer)
    def get(self, request: Request, **path: Any) -> Response:
        count = number_of_requests(self._environment_ids({}), since=timezone.now() - timedelta(days=30))
        return Response(TotalSerializer({"count": count}).data)


class DeprecatedTotalView(UsageView):
    """The same number, as older clients ask for it."""

    @extend_schema(
        operation_id="get_organisation_usage_events",
        tags=["analytics"],
        responses=EventsSerializer,
        deprecated=True,
    )
    def get(self, request: Request, **path: Any) -> Response:
        number = number_of_requests(self._environment_ids({}), since=timezone.now() - timedelta(days=30))
        return Response(EventsSerializer({"events": number}).data)


class DeprecatedUsageView(UsageView):
    """The requests by day, as older clients ask for them."""

    @extend_schema(
        operation_id="list_organisation_usage_events",
        tags=["analytics"],
        parameters=[EventsQuery],
        responses=EventsListSerializer,
        deprecated=True,
    )
    def get(self, request: Request, **path: Any) -> Response:
        environment_ids = self._environment_ids(EventsQuery.read(request))
        days = requests_of_days(environment_ids, since=timezone.now() - timedelta(days=30))
        return Response(EventsListSerializer({"events_list": days}).data)


class EvaluationsView(InProject):
    """How often SDKs have evaluated a feature in an environment, by day or hour."""

    @extend_schema(
        operation_id="list_feature_evaluations",
        tags=["analytics"],
        parameters=[EvaluationQuery],
        responses=EvaluationsOfDaySerializer(many=True),
    )
    def get(self, request: Request, **path: Any) -> Response:
        query = EvaluationQuery.read(request)
        feature = self.feature_in(query["environment_id"])
        of = {name: query[name] for name in EVALUATED if name in query}
        if "identity_identifier" in of:
            require(request.user, "VIEW_IDENTITIES", self.environment_of(query["environment_id"]))
        if _is_narrowed_by_labels(query):
            return Response([])
        rows = evaluations_by_step(
            feature.name,
            query["environment_id"],
            since=timezone.now() - timedelta(days=query["period"]),
            of=of,
            hourly=query["step"] == HOUR,
        )
        return Response(EvaluationsOfDaySerializer(rows, many=True).data)

    def feature_in(self, environment_id: int) -> Feature:
        """Return the feature in the path.

        Raises:
            Http404: it is none of the project's.
            InvalidInput: the environment is none of the project's.
        """
        features: QuerySet[Feature] = Feature.objects.filter(project=self.project)
        feature = get_object_or_404(features, pk=self.kwargs["feature_pk"])
        self.environment_of(environment_id)
        return feature

    def environment_of(self, environment_id: int) -> Environment:
        """Return an environment of the project.

        Raises:
            InvalidInput: it is none.
        """
        environments: QuerySet[Environment] = Environment.objects.filter(project=self.project)
        environment = environments.filter(pk=environment_id).first()
        if environment is None:
            raise InvalidInput({"environment_id": ["Environment does not exist in project."]})
        return environment


class DeprecatedEvaluationsView(EvaluationsView):
    """The same in steps of any length, as older clients ask for it."""

    @extend_schema(
        operation_id="list_feature_evaluation_events",
        tags=["analytics"],
        parameters=[EvaluationEventsQuery],
        responses=EvaluationEventsSerializer,
        deprecated=True,
    )
    def get(self, request: Request, **path: Any) -> Response:
        query = EvaluationEventsQuery.read(request)
        feature = self.feature_in(query["environment_id"])
        steps = evaluations_in_steps_of(
            query.get("aggregate_every", DAY),
            feature.name,
            query["environment_id"],
            since=timezone.now() - query.get("period", DAY),
        )
        return Response({"events_list": [{"datetime": begun, feature.name: count} for begun, count in steps]})


class OnboardingStatusView(GenericAPIView):
    """Whether SDKs have evaluated an environment yet. Who knows its key may ask and tell."""

    authentication_classes = ()
    permission_classes = ()
    serializer_class = OnboardingStatusSerializer

    @extend_schema(
        operation_id="get_onboarding_status", tags=["analytics"], responses=KnownOnboardingStatusSerializer
    )
    def get(self, request: Request, environment_key: str) -> Response:
        evaluated_at, sdk_label = first_evaluation_in(self._environment(environment_key).pk)
        status = {"first_evaluated_at": evaluated_at, "first_evaluated_sdk_label": sdk_label}
        return Response(KnownOnboardingStatusSerializer(status).data)

    @extend_schema(operation_id="update_onboarding_status", tags=["analytics"], responses={204: None})
    def put(self, request: Request, environment_key: str) -> Response:
        """Tell that an SDK has evaluated the environment where this server doesn't see it."""
        environment = self._environment(environment_key)
        told = self.get_serializer(data=request.data)
        told.is_valid(raise_exception=True)
        note_first_evaluation(environment.pk, sdk_label=told.validated_data["first_evaluated_sdk_label"])
        return Response(status=204)

    def _environment(self, key: str) -> Environment:
        environment = environment_with(key)
        if environment is None:
            raise NotFound
        return environment


def _is_narrowed_by_labels(query: dict[str, Any]) -> bool:
    return not query.keys().isdisjoint(LabelsQuery().get_fields())
