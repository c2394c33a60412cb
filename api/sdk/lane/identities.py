"""`identities/` and `bulk-identities/`: what identities are served. Their traits go through batches."""

from collections.abc import Callable

from rest_framework.exceptions import ValidationError

from analytics.models import Resource
from core.asgi.request import Request
from core.parsers import parse_json
from sdk import payloads, usage
from sdk.identities import EnvironmentGone, KnownIdentity, TraitPolicy
from sdk.identity_reads import identity_reads
from sdk.inputs import GivenIdentity, read_identities, read_identity, read_identity_in_query, read_query
from sdk.keys import UNKNOWN_KEY, KeyRefused
from sdk.lane.answers import REFUSALS, Answers, refused
from sdk.lane.reads import KEY
from sdk.live_identities import LiveIdentities
from sdk.payloads import SdkResponse
from sdk.snapshots import Access

# With one of these a request has a body, or wants to be told to go on.
_WITH_BODY = frozenset({b"content-length", b"transfer-encoding", b"expect"})
# How SDKs say that they send JSON; what else may be said is for Django to read.
_JSON = frozenset(
    {
        b"application/json",
        b"application/json;charset=utf-8",
        b"application/json; charset=utf-8",
        b"application/json; charset=UTF-8",
        b"application/json;charset=UTF-8",
    }
)

Answer = Callable[[Access, list[KnownIdentity]], SdkResponse]


class Identities:
    """Answers at one path. What can't be read is left to Django, to say what is wrong with it.

    Args:
        methods: what the view allows, as its answers say.
    """

    def __init__(self, answers: Answers, identities: LiveIdentities, methods: str) -> None:
        self._answers = answers
        self._identities = identities
        self._methods = methods

    async def __call__(self, request: Request) -> bool:
        if request.scope["method"] == "OPTIONS":
            return await self._answers.preflight(request)
        try:
            read = await self._read(request)
        except (ValidationError, ValueError):
            return False
        common = self._answers.common(request, self._methods) if read else None
        if read is None or common is None:
            return False
        given, answer = read
        try:
            key = request.headers.get(KEY, b"").decode("latin-1")
            access = self._answers.opened(request, key) or await self._answers.open(request, key)
            answered = await self._answer(access, given, answer, may_be_kept=request.scope["method"] == "GET")
            await self._answers.send(request, common, answered, access)
            usage.count(access.snapshot.environment_id, Resource.IDENTITIES, request.headers)
        except ValidationError:
            return False
        except EnvironmentGone:
            await self._answers.send(request, common, refused(KeyRefused(UNKNOWN_KEY)))
        except REFUSALS as refusal:
            await self._answers.send(request, common, refused(refusal))
        return True

    async def _read(self, request: Request) -> tuple[list[GivenIdentity], Answer] | None:
        """Return whom the request is about and how it is answered; None: Django answers.

        Raises:
            ValidationError, ValueError: it can't be read.
        """
        raise NotImplementedError

    async def _answer(
        self, access: Access, given: list[GivenIdentity], answer: Answer, *, may_be_kept: bool
    ) -> SdkResponse:
        settings = access.snapshot.settings
        policy = TraitPolicy(
            accepts_traits=access.is_server_side or settings.allows_client_traits,
            stores_traits=settings.stores_traits,
        )
        knowledge = await self._identities.know(
            access.snapshot.environment_id,
            given,
            policy,
            kept_as=access.snapshot.client_key if may_be_kept else None,
        )
        if settings.tells_of_identities:
            identity_reads.note(access.snapshot.environment_id, given, knowledge.known)
        answered = answer(access, knowledge.known)
        if knowledge.is_persisted and knowledge.away_seconds is None:
            return answered
        more = payloads.unsettled(knowledge.is_persisted, knowledge.away_seconds)
        return answered._replace(headers={**answered.headers, **more})


class OneIdentity(Identities):
    def __init__(self, answers: Answers, identities: LiveIdentities) -> None:
        super().__init__(answers, identities, "GET, POST, HEAD, OPTIONS")

    async def _read(self, request: Request) -> tuple[list[GivenIdentity], Answer] | None:
        method = request.scope["method"]
        if method == "POST":
            body = await json_body(request)
            return None if body is None else ([read_identity(parse_json(body))], _identity)
        if method != "GET" or not _WITH_BODY.isdisjoint(request.headers):
            return None
        parameters = read_query(request.scope["query_string"])
        given = read_identity_in_query(parameters)
        if not given.identifier:
            return None
        name = parameters.get("feature")
        return [given], _feature(name) if name else _identity


class ManyIdentities(Identities):
    def __init__(self, answers: Answers, identities: LiveIdentities) -> None:
        super().__init__(answers, identities, "POST, OPTIONS")

    async def _read(self, request: Request) -> tuple[list[GivenIdentity], Answer] | None:
        body = await json_body(request) if request.scope["method"] == "POST" else None
        return None if body is None else (read_identities(parse_json(body)), _identities)


async def json_body(request: Request) -> bytes | None:
    return (await request.body() or None) if request.headers.get(b"content-type") in _JSON else None


def _identity(access: Access, known: list[KnownIdentity]) -> SdkResponse:
    return payloads.identity(access.snapshot, known[0], to_server=access.is_server_side)


def _identities(access: Access, known: list[KnownIdentity]) -> SdkResponse:
    return payloads.identities(access.snapshot, known, to_server=access.is_server_side)


def _feature(name: str) -> Answer:
    return lambda access, known: payloads.identity_flag(
        access.snapshot, known[0], name, to_server=access.is_server_side
    )
