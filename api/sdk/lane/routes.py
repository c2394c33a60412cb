"""What the lane answers."""

from core.asgi.rehearsal import Rehearsals
from sdk.lane.answers import Answers
from sdk.lane.dispatch import Lane
from sdk.lane.reads import Reads, document, flags
from sdk.live import LiveSnapshots


def sdk_lane(live: LiveSnapshots, rehearsals: Rehearsals) -> Lane:
    """Return the lane of a worker.

    Args:
        live: the snapshots that are fed.
        rehearsals: what the middleware makes of requests.
    """
    answers = Answers(live, rehearsals)
    return Lane(
        {
            "/api/v1/flags": Reads(answers, flags),
            "/api/v1/environment-document": Reads(answers, document, is_for_servers=True),
        }
    )
