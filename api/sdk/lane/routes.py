"""What the lane answers."""

from collections.abc import Iterator, Mapping

from analytics.models import Resource
from core.asgi.rehearsal import Rehearsals
from sdk.lane.analytics import Reports
from sdk.lane.answers import Answers
from sdk.lane.dispatch import Handler, Lane
from sdk.lane.identities import ManyIdentities, OneIdentity
from sdk.lane.ofrep import Ofrep
from sdk.lane.reads import Reads, document, flags
from sdk.lane.streams import StreamsBelow
from sdk.lane.traits import many_traits, one_trait
from sdk.live import LiveSnapshots
from sdk.live_identities import LiveIdentities
from sdk.streams.events import for_ofrep, for_sdks
from sdk.streams.hub import Streams
from sdk.streams.paths import BASES, OFREP_STREAMS, SDK_STREAM_END, SDK_STREAMS


def sdk_lane(
    live: LiveSnapshots,
    identities: LiveIdentities,
    streams: Streams,
    rehearsals: Rehearsals,
    others: Mapping[str, Handler] | None = None,
) -> Lane:
    """Return the lane of a worker.

    Args:
        live: the snapshots that are fed.
        identities: what is known of identities.
        streams: tell of what changes there.
        rehearsals: what the middleware makes of requests.
        others: what else is answered at once, by path.
    """
    answers = Answers(live, rehearsals)
    return Lane(
        {
            "/api/v1/flags": Reads(answers, Resource.FLAGS, flags),
            "/api/v1/environment-document": Reads(
                answers, Resource.ENVIRONMENT_DOCUMENT, document, is_for_servers=True
            ),
            "/api/v1/identities": OneIdentity(answers, identities),
            "/api/v1/bulk-identities": ManyIdentities(answers, identities),
            "/api/v1/traits": one_trait(answers, identities),
            "/api/v1/traits/bulk": many_traits(answers, identities),
            "/api/v1/analytics/flags": Reports(answers),
            **(others or {}),
        },
        below={"/ofrep/": Ofrep(answers, identities)},
        streams=dict(_streams(answers, streams)),
    )


def _streams(answers: Answers, streams: Streams) -> Iterator[tuple[str, Handler]]:
    for base in BASES:
        begin = base + SDK_STREAMS
        yield begin, StreamsBelow(answers, streams, begin=begin, end=SDK_STREAM_END, wording=for_sdks)
        begin = base + OFREP_STREAMS
        yield begin, StreamsBelow(answers, streams, begin=begin, end="", wording=for_ofrep)
