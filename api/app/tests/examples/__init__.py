"""The table of examples: for each route, a request that works. A new route needs an entry here.

The walks of malformed input and of tenancy make their requests from these, so a route is in both as
soon as it has an example.
"""

from app.tests.examples import (
    accounts,
    analytics,
    audit_log,
    documents,
    environments,
    features,
    health,
    identities,
    integrations,
    metadata,
    organisations,
    permissions,
    projects,
    releases,
    sdk,
    second_factors,
    segments,
    sign_in_elsewhere,
    workflows,
)
from app.tests.examples.example import Caller, Example
from app.tests.routes import Route, api_routes
from core.tests.thoroughness import EVERYTHING

EXAMPLES: dict[str, Example] = {
    **accounts.EXAMPLES,
    **analytics.EXAMPLES,
    **audit_log.EXAMPLES,
    **documents.EXAMPLES,
    **environments.EXAMPLES,
    **features.EXAMPLES,
    **health.EXAMPLES,
    **identities.EXAMPLES,
    **integrations.EXAMPLES,
    **metadata.EXAMPLES,
    **organisations.EXAMPLES,
    **permissions.EXAMPLES,
    **projects.EXAMPLES,
    **releases.EXAMPLES,
    **sdk.EXAMPLES,
    **second_factors.EXAMPLES,
    **sign_in_elsewhere.EXAMPLES,
    **segments.EXAMPLES,
    **workflows.EXAMPLES,
}

ROUTES = [
    route
    for route in api_routes()
    if str(route) in EXAMPLES and (EVERYTHING or not EXAMPLES[str(route)].is_double)
]


def example_of(route: Route) -> Example:
    return EXAMPLES[str(route)]


WORKING = [route for route in ROUTES if not example_of(route).is_refused]

__all__ = ["EXAMPLES", "ROUTES", "WORKING", "Caller", "Example", "example_of"]
