"""OFREP: all flags, or one, for whom a context describes."""

from django.conf import settings
from rest_framework.exceptions import ValidationError

from analytics.models import Resource
from core.asgi.request import Request
from sdk import usage
from sdk.authentication import KEY_HEADER
from sdk.identities import TraitPolicy
from sdk.lane.answers import Answers
from sdk.live_identities import LiveIdentities
from sdk.ofrep import answers as ofrep
from sdk.ofrep.refusals import ERRORS, refusal
from sdk.ofrep.requests import API_KEY_HEADER, read_context, read_identity, read_key
from sdk.payloads import SdkResponse, unsettled
from sdk.snapshots import Access

FLAGS = "/ofrep/v1/evaluate/flags"
_ANY_FLAG = f"{FLAGS}/key"
_METHODS = "POST, OPTIONS"
_KEY, _API_KEY = KEY_HEADER.lower().encode(), API_KEY_HEADER.lower().encode()
# Bytes that are no UTF-8, which Django shows otherwise; and line ends, which stop the middleware's patterns.
_ODD = frozenset("\ufffd\n")


class Ofrep:
    """Answers both endpoints."""

    def __init__(self, answers: Answers, identities: LiveIdentities) -> None:
        self._answers = answers
        self._identities = identities

    async def __call__(self, request: Request) -> bool:
        beginning, _, rest = request.scope["path"].partition(FLAGS)
        if beginning or (rest and rest[0] != "/") or not _ODD.isdisjoint(rest):
            return False
        flag = rest[1:] or None
        # However flags are called, the middleware treats their paths alike.
        alike = FLAGS if flag is None else _ANY_FLAG
        method = request.scope["method"]
        if method == "OPTIONS":
            return await self._answers.preflight(request, path=alike)
        if method != "POST" or b"expect" in request.headers:
            return False
        common = self._answers.common(request, _METHODS, path=alike)
        if common is None:
            return False
        access = None
        try:
            access = await self._answers.open(request, _key(request))
            body = await request.body()
            if body is None:
                return True  # the client has gone
            answer = await self._answer(request, access, body, flag)
        except ValidationError:
            return False
        except ERRORS as error:
            answer = refusal(error, flag)
        await self._answers.send(request, common, answer, access)
        if access is not None:
            usage.count(access.snapshot.environment_id, Resource.IDENTITIES, request.headers)
        return True

    async def _answer(self, request: Request, access: Access, body: bytes, flag: str | None) -> SdkResponse:
        """Return the answer.

        Raises:
            RequestRefused: something is wrong with the body.
        """
        snapshot, to_server = access.snapshot, access.is_server_side
        policy = TraitPolicy(
            accepts_traits=to_server or snapshot.settings.allows_client_traits, stores_traits=False
        )
        given = read_identity(
            read_context(request.text(b"content-type"), body),
            accepts_traits=policy.accepts_traits,
            requires_key=settings.OFREP_REQUIRE_TARGETING_KEY,
        )
        known, more = None, {}
        if given is not None:
            knowledge = await self._identities.know(snapshot.environment_id, [given], policy)
            (known,) = knowledge.known
            more = unsettled(knowledge.is_persisted, knowledge.away_seconds)
        seen = request.text(b"if-none-match")
        if flag is None:
            answer = ofrep.flags(snapshot, known, to_server=to_server, if_none_match=seen)
        else:
            answer = ofrep.flag(snapshot, known, flag, to_server=to_server, if_none_match=seen)
        return answer._replace(headers={**answer.headers, **more}) if more else answer


def _key(request: Request) -> str:
    return read_key(request.text(_KEY), request.text(_API_KEY), request.text(b"authorization"))
