"""`traits/` and `traits/bulk/`: setting traits without reading flags."""

from collections.abc import Callable

from rest_framework.exceptions import ValidationError

from analytics.models import Resource
from core.asgi.request import Request
from core.parsers import parse_json
from sdk import payloads, usage
from sdk.identities import EnvironmentGone, changes_of_trait
from sdk.inputs import GivenTraitOf, read_trait, read_traits
from sdk.keys import UNKNOWN_KEY, KeyRefused
from sdk.lane.answers import REFUSALS, Answers, refused
from sdk.lane.identities import json_body
from sdk.lane.reads import KEY
from sdk.live_identities import LiveIdentities
from sdk.payloads import SdkResponse
from sdk.snapshots import Access

Read = Callable[[object], list[GivenTraitOf]]


class Traits:
    """Answers at one path. Who may not set traits, and what can't be read, is left to Django.

    Args:
        method: the one that sets.
        read: reads the body; raises ValidationError.
    """

    def __init__(
        self,
        answers: Answers,
        identities: LiveIdentities,
        method: str,
        read: Read,
        answer: Callable[[list[GivenTraitOf]], SdkResponse],
    ) -> None:
        self._answers = answers
        self._identities = identities
        self._method = method
        self._read = read
        self._answer = answer

    async def __call__(self, request: Request) -> bool:
        method = request.scope["method"]
        if method == "OPTIONS":
            return await self._answers.preflight(request)
        body = await json_body(request) if method == self._method else None
        common = self._answers.common(request, f"{self._method}, OPTIONS") if body else None
        if body is None or common is None:
            return False
        try:
            given = self._read(parse_json(body))
            access = await self._answers.open(request, request.headers.get(KEY, b"").decode("latin-1"))
            if not _may_set_traits(access):
                return False
            environment_id = access.snapshot.environment_id
            is_stored = await self._identities.store(
                [changes_of_trait(environment_id, each) for each in given]
            )
            answer = self._answer(given)._replace(headers=payloads.unsettled(is_stored, None))
            await self._answers.send(request, common, answer, access)
            usage.count(environment_id, Resource.TRAITS, request.headers)
        except (ValidationError, ValueError):
            return False
        except EnvironmentGone:
            await self._answers.send(request, common, refused(KeyRefused(UNKNOWN_KEY)))
        except REFUSALS as refusal:
            await self._answers.send(request, common, refused(refusal))
        return True


def one_trait(answers: Answers, identities: LiveIdentities) -> Traits:
    return Traits(answers, identities, "POST", _read_one, lambda given: payloads.trait_set(given[0]))


def many_traits(answers: Answers, identities: LiveIdentities) -> Traits:
    return Traits(answers, identities, "PUT", read_traits, payloads.traits_set)


def _read_one(body: object) -> list[GivenTraitOf]:
    given = read_trait(body)
    if given.value is None:
        raise ValidationError
    return [given]


def _may_set_traits(access: Access) -> bool:
    settings = access.snapshot.settings
    return settings.stores_traits and (access.is_server_side or settings.allows_client_traits)
