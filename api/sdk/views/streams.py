"""The paths of streams, where there is no server that can hold them open."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from environments.models import Environment
from sdk.authentication import KeyNotChecked, access_of
from sdk.encodings import vary
from sdk.keys import UNKNOWN_KEY, KeyRefused, KeyUnchecked
from sdk.serializers import DETAIL
from sdk.store import snapshots
from sdk.streams.access import StreamRefused, check_environment, check_key
from sdk.views.base import AlwaysJson

F = TypeVar("F", bound=Callable[..., Any])

NOT_HERE = (
    "Streams of changes need Burgee's own server, as `make run` and the container start it; "
    "this one would keep a thread for each."
)


class StreamNotGiven(APIException):
    """404 or 403, as `StreamRefused` has it."""

    def __init__(self, refused: StreamRefused) -> None:
        super().__init__(str(refused))
        self.status_code = refused.status


class StreamView(APIView):
    """Checks the key as the lane does (`sdk.lane.streams`), and then says that streams are elsewhere."""

    is_for_sdks = True
    authentication_classes = []  # the key stands in the path
    permission_classes = []
    throttle_classes = []
    content_negotiation_class = AlwaysJson

    def get(self, request: Request, client_key: str) -> Response:
        try:
            _check(client_key)
        except StreamRefused as refused:
            raise StreamNotGiven(refused) from refused
        except KeyUnchecked as unchecked:
            raise KeyNotChecked(unchecked) from unchecked
        return Response({"detail": NOT_HERE}, status=501)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Vary": vary()}


def _check(key: str) -> None:
    check_key(key)
    try:
        check_environment(snapshots.current(access_of(key).environment_id))
    except KeyRefused as refused:
        raise StreamRefused.because_of(refused) from refused
    except Environment.DoesNotExist as error:  # deleted since the key was looked up
        raise StreamRefused(UNKNOWN_KEY) from error


def _described(operation_id: str, summary: str) -> Callable[[F], F]:
    return extend_schema(
        operation_id=operation_id,
        tags=["sdk"],
        summary=summary,
        parameters=[
            OpenApiParameter("client_key", str, "path", description="The client-side environment key."),
            OpenApiParameter(
                "Last-Event-ID", str, "header", description="The last event's id, to be told what was missed."
            ),
        ],
        responses={
            (200, "text/event-stream"): OpenApiResponse(str, "Events, until either side ends them."),
            403: DETAIL,
            404: DETAIL,
            501: DETAIL,
            503: DETAIL,
        },
    )


class SdkStreamView(StreamView):
    """A stream of events, one for each change: ask for the flags again.

    `event: environment_updated`, `data: {"updated_at": 1769940000.123456, "revision": 17}`, and comments.
    Only Burgee's own server serves it.
    """

    @_described("stream_environment_changes", "Hear of changes of an environment")
    def get(self, request: Request, client_key: str) -> Response:
        return super().get(request, client_key)


class OfrepStreamView(StreamView):
    """A stream of events for OpenFeature's providers: `data: {"type":"refetchEvaluation"}`.

    Bulk answers of OFREP say where it is.
    """

    @_described("stream_ofrep_events", "Hear of changes, as OFREP has it")
    def get(self, request: Request, client_key: str) -> Response:
        return super().get(request, client_key)
