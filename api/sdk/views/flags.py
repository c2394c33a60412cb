"""`flags/`: what everyone is served."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from analytics.models import Resource
from sdk import payloads
from sdk.serializers import DETAIL, SdkFlagSerializer
from sdk.views.base import SdkView


class FlagsView(SdkView):
    """The environment's flags. No segment is evaluated: there is nobody to evaluate it for."""

    resource = Resource.FLAGS

    @extend_schema(
        operation_id="get_flags",
        tags=["sdk"],
        parameters=[
            OpenApiParameter("feature", str, description="Answer this feature's flag alone, or 404.")
        ],
        responses={200: SdkFlagSerializer(many=True), 304: None, 403: DETAIL, 404: DETAIL},
    )
    def get(self, request: Request) -> HttpResponse:
        name = self.parameters.get("feature")
        known = request.headers.get("If-None-Match")
        if name:
            answer = payloads.flag(self.snapshot, name, to_server=self.to_server, if_none_match=known)
        else:
            answer = payloads.flags(self.snapshot, to_server=self.to_server, if_none_match=known)
        return self.answered(answer)
