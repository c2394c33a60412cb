"""What all SDK endpoints have in common."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, cast

from django.http import HttpResponse
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.models import Resource
from environments.models import Environment
from environments.revisions import MIN_REVISION_HEADER
from identities.batches import TraitChanges
from sdk import live_identities, usage
from sdk.authentication import EnvironmentAccess, EnvironmentKeyAuthentication
from sdk.encodings import accepts_gzip, encoded, vary
from sdk.identities import EnvironmentGone, KnownIdentity, TraitPolicy
from sdk.inputs import GivenIdentity, read_min_revision, read_query
from sdk.keys import UNKNOWN_KEY
from sdk.payloads import DEGRADED_HEADER, SdkResponse, unsettled
from sdk.snapshots import Snapshot
from sdk.store import REACH_SECONDS, RevisionNotReached, snapshots


class AlwaysJson(DefaultContentNegotiation):
    """SDKs get JSON, whatever their `Accept` or a `?format=` says."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class TooEarly(APIException):
    """503: the environment hasn't reached the revision that is wanted."""

    status_code = 503

    def __init__(self, late: RevisionNotReached) -> None:
        super().__init__(str(late))
        self.wait = late.retry_after_seconds  # rendered as Retry-After


class SdkView(APIView):
    """Reads the key, and gives the environment as it is now."""

    is_for_sdks = True
    authentication_classes = [EnvironmentKeyAuthentication]
    permission_classes = []  # the key is the permission
    throttle_classes = []  # some SDKs answer a 429 by asking again, for as long as it lasts
    content_negotiation_class = AlwaysJson
    # Headers that tell what couldn't be asked of the database, or not be stored.
    _unsettled: Mapping[str, str] = MappingProxyType({})
    # What requests are counted for; None: they aren't.
    resource: Resource | None = None

    @property
    def access(self) -> EnvironmentAccess:
        return cast(EnvironmentAccess, self.request.auth)

    @cached_property
    def snapshot(self) -> Snapshot:
        environment_id = self.access.environment_id
        wanted = read_min_revision(self.request.headers.get(MIN_REVISION_HEADER), environment_id)
        try:
            return snapshots.reached(environment_id, wanted or 0, within_seconds=REACH_SECONDS)
        except Environment.DoesNotExist as error:  # deleted since the key was looked up
            raise PermissionDenied(UNKNOWN_KEY) from error
        except RevisionNotReached as late:
            raise TooEarly(late) from late

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The query's parameters."""
        return read_query(self.request.META.get("QUERY_STRING", "").encode("latin-1", errors="replace"))

    @property
    def to_server(self) -> bool:
        """Whether the answer is for a server, and so may hold what only servers see."""
        return self.access.is_server_side

    @property
    def may_set_traits(self) -> bool:
        return self.access.is_server_side or self.snapshot.settings.allows_client_traits

    @property
    def trait_policy(self) -> TraitPolicy:
        return TraitPolicy(
            accepts_traits=self.may_set_traits, stores_traits=self.snapshot.settings.stores_traits
        )

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self._unsettled.items():
            response[name] = value
        if isinstance(request.auth, EnvironmentAccess):
            degraded = snapshots.degraded_seconds(request.auth.environment_id)
            if degraded is not None:
                response[DEGRADED_HEADER] = str(degraded)
            # Who is told to come back is counted then.
            if self.resource is not None and response.status_code != TooEarly.status_code:
                usage.count_from_thread(request.auth.environment_id, self.resource, request.headers)
        return response

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Vary": vary()}

    def know(self, given: Sequence[GivenIdentity], *, may_be_kept: bool = False) -> list[KnownIdentity]:
        """Store what is to be stored of identities, and return them with all their traits."""
        try:
            knowledge = live_identities.know(
                self.access.environment_id,
                given,
                self.trait_policy,
                kept_as=self.snapshot.client_key if may_be_kept else None,
            )
        except EnvironmentGone as error:
            raise PermissionDenied(UNKNOWN_KEY) from error
        self._unsettled = unsettled(knowledge.is_persisted, knowledge.away_seconds)
        return knowledge.known

    def store(self, batch: Sequence[TraitChanges]) -> None:
        try:
            is_persisted = live_identities.store(batch)
        except EnvironmentGone as error:
            raise PermissionDenied(UNKNOWN_KEY) from error
        self._unsettled = unsettled(is_persisted, None)

    def answered(self, answer: SdkResponse) -> HttpResponse:
        """Return the answer in the encoding that the client takes."""
        answer = encoded(answer, accepts=accepts_gzip(self.request.headers.get("Accept-Encoding")))
        return HttpResponse(
            answer.body,
            status=answer.status,
            content_type="application/json",
            headers=dict(answer.headers),
        )
