"""What the lane answers."""

from analytics.models import Resource
from core.asgi.rehearsal import Rehearsals
from sdk.lane.analytics import Reports
from sdk.lane.answers import Answers
from sdk.lane.dispatch import Lane
from sdk.lane.identities import ManyIdentities, OneIdentity
from sdk.lane.reads import Reads, document, flags
from sdk.live import LiveSnapshots
from sdk.live_identities import LiveIdentities


def sdk_lane(live: LiveSnapshots, identities: LiveIdentities, rehearsals: Rehearsals) -> Lane:
    """Return the lane of a worker.

    Args:
        live: the snapshots that are fed.
        identities: what is known of identities.
        rehearsals: what the middleware makes of requests.
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
            "/api/v1/analytics/flags": Reports(answers),
        }
    )
