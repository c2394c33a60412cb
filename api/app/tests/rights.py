"""Who may do what, route by route: the table that the walk of rights holds the API to.

Each line has what a request needs, in the order in which it is asked for, and how whoever lacks it is
answered. The permissions are those of `permissions.catalogue`, and the standings below. A new route needs
a line here: `test_rights.test_every_route_has_a_line_in_the_table`.

    "PUT /api/v1/projects/{pk}/": hides("VIEW_PROJECT").forbids(PROJECT_ADMIN),

reads: 401 for who isn't signed in, 404 for who may not see the project, 403 for who doesn't administer it,
and 2xx for all others. What belongs to another organisation gets the answer to who lacks the first of these,
and what doesn't exist the very same.
"""

from dataclasses import dataclass, field, replace

from integrations.kinds import KINDS
from permissions.catalogue import Level

# Standings: asked for like permissions, but nothing that can be granted.
SIGNED_IN = "a user's or a master key's valid credentials"
USER = "a user's valid credentials"
MEMBER = "membership in the organisation"
ORGANISATION_ADMIN = "administrator of the organisation"
PROJECT_ADMIN = "administrator of the project"
ENVIRONMENT_ADMIN = "administrator of the environment"
GROUP_ADMIN = "administrator of the group"
SELF = "being the user that it is about"
SDK_KEY = "a working key of the environment"
SERVER_KEY = "a working key for servers of the environment"


@dataclass(frozen=True)
class Gate:
    """Any one of `permissions` lets through. Others are answered with `status`; 200 shows them nothing."""

    status: int
    permissions: tuple[str, ...]
    for_tags: bool = False


@dataclass(frozen=True)
class Right:
    """What a route asks for.

    Attributes:
        for_machines: how master keys are answered that have all the rights; None: like users.
        elsewhere: how everybody is answered where the request names another organisation's object, if not
            by the first gate.
        may_answer: what else than success those may get who have every right, because of what they ask for.
        unwalked: why only the route's own tests say who may, and not the walk.
        without: fields of the example's body that are left out, because they need more.
        why: the reason for anything that the contract's tables don't have in this way.
    """

    gates: tuple[Gate, ...] = ()
    for_machines: int | None = None
    elsewhere: int | None = None
    may_answer: int | None = None
    unwalked: str = ""
    without: frozenset[str] = field(default_factory=frozenset)
    why: str = ""

    def refuses(self, status: int, *permissions: str, for_tags: bool = False) -> "Right":
        """Add a gate. `for_tags`: a permission for some tags is enough if the feature carries one."""
        return replace(self, gates=(*self.gates, Gate(status, permissions, for_tags)))

    def forbids(self, *permissions: str, for_tags: bool = False) -> "Right":
        return self.refuses(403, *permissions, for_tags=for_tags)

    def hides(self, *permissions: str, for_tags: bool = False) -> "Right":
        return self.refuses(404, *permissions, for_tags=for_tags)

    def shows_to(self, *permissions: str) -> "Right":
        """Add a gate before content: others get a list without it."""
        return self.refuses(200, *permissions)

    def machines(self, status: int, why: str) -> "Right":
        return replace(self, for_machines=status, why=why)

    def answers_elsewhere(self, status: int, why: str) -> "Right":
        return replace(self, elsewhere=status, why=why)

    def or_answers(self, status: int, why: str) -> "Right":
        return replace(self, may_answer=status, why=why)

    def leaving_out(self, *fields: str) -> "Right":
        return replace(self, without=frozenset(fields))

    @property
    def is_public(self) -> bool:
        return not self.gates

    @property
    def is_about_an_object(self) -> bool:
        """Whether it matters whose it is that a request names."""
        return any(not {SIGNED_IN, USER} & set(gate.permissions) for gate in self.gates)

    @property
    def status_elsewhere(self) -> int:
        if self.elsewhere is not None:
            return self.elsewhere
        return next(
            (gate.status for gate in self.gates if not {SIGNED_IN, USER} & set(gate.permissions)), 200
        )


public = Right()
signed_in = public.refuses(401, SIGNED_IN)
people = public.refuses(401, USER)  # a master key counts for nothing
for_users = signed_in.forbids(USER)  # a master key is nobody's: it has no account
forbids, hides, refuses = signed_in.forbids, signed_in.hides, signed_in.refuses
sdk = public.forbids(SDK_KEY)

ONLY_PEOPLE = "An approval is somebody's who looked at it."
NO_USER = "A master key is nobody's: it has no account."
own_factor = for_users.or_answers(400, "Only the example's caller has a second factor of that state.")

PROJECT = "/api/v1/projects/{project_pk}"
ENVIRONMENT = "/api/v1/environments/{environment_key}"
ORGANISATION = "/api/v1/organisations/{organisation_pk}"
UPDATES = "/api/experiments/environments/{environment_key}"
FLAG = "/api/__future__/environments/{environment_key}/features/{feature_pk}"
VERSIONS = "/api/v1/environments/{environment_pk}/features/{feature_pk}/versions"
REVISIONS = f"{ENVIRONMENT}/revisions"
PROMOTION = f"{ENVIRONMENT}/promote-from/{{source_key}}"
REQUEST = "/api/v1/features/workflows/change-requests/{pk}"
COMMENTS = "/api/v1/features/workflows/change-requests/{change_request_pk}/comments/"
BY_IDENTIFIER = "/api/v1/environments/environments/{environment_key}/edge-identities-featurestates"
IDENTITY = f"{ENVIRONMENT}/identities/{{identity_pk}}"

ACCOUNTS = {
    "POST /api/v1/auth/login/": public,
    "POST /api/v1/auth/users/": public,
    "POST /api/v1/auth/logout/": for_users,
    "DELETE /api/v1/auth/token/": for_users,
    "GET /api/v1/auth/users/me/": for_users,
    "PUT /api/v1/auth/users/me/": for_users,
    "PATCH /api/v1/auth/users/me/": for_users,
    "DELETE /api/v1/auth/users/me/": for_users.or_answers(400, "A last administrator stays."),
    "PATCH /api/v1/auth/users/me/onboarding/": for_users,
    "POST /api/v1/auth/users/set_email/": for_users,
    "POST /api/v1/auth/users/set_password/": for_users,
    "DELETE /api/v1/auth/users/{user_id}/": Right(unwalked="Staff may delete any account, others their own."),
    "POST /api/v1/auth/users/activation/": public,
    "POST /api/v1/auth/users/resend_activation/": public,
    "POST /api/v1/auth/users/reset_password/": public,
    "POST /api/v1/auth/users/reset_password_confirm/": public,
    "GET /password-reset/confirm/{uid}/{token}/": public,
    "POST /api/v1/auth/oauth/github/": Right(unwalked="It needs a provider: the tests of OAuth run one."),
    "POST /api/v1/auth/oauth/google/": Right(unwalked="It needs a provider: the tests of OAuth run one."),
    "POST /api/v1/auth/oidc/code/": Right(
        unwalked="It needs a provider: the tests of OpenID Connect run one."
    ),
    "POST /api/v1/auth/login/code/": public,
    "GET /api/v1/auth/mfa/user-active-methods/": for_users,
    "POST /api/v1/auth/{method}/activate/": own_factor,
    "POST /api/v1/auth/{method}/activate/confirm/": own_factor,
    "POST /api/v1/auth/{method}/deactivate/": own_factor,
    "POST /api/v1/authenticate": public,
    "POST /api/v1/user": public,
    "GET /api/v1/user": people,
}

ORGANISATIONS = {
    "GET /api/v1/organisations/": signed_in.shows_to(MEMBER),
    "POST /api/v1/organisations/": for_users,
    "GET /api/v1/organisations/permissions/": signed_in,
    "GET /api/v1/organisations/get-by-uuid/{uuid}/": hides(MEMBER),
    f"GET {ORGANISATION}/": forbids(ORGANISATION_ADMIN),
    f"PUT {ORGANISATION}/": forbids(ORGANISATION_ADMIN),
    f"PATCH {ORGANISATION}/": forbids(ORGANISATION_ADMIN),
    f"DELETE {ORGANISATION}/": forbids(ORGANISATION_ADMIN),
    f"GET {ORGANISATION}/get-subscription-metadata/": forbids(ORGANISATION_ADMIN),
    f"GET {ORGANISATION}/my-permissions/": forbids(MEMBER).machines(400, NO_USER),
    f"GET {ORGANISATION}/projects/": forbids(MEMBER).shows_to("VIEW_PROJECT"),
    f"GET {ORGANISATION}/usage-data/": forbids(ORGANISATION_ADMIN),
    f"GET {ORGANISATION}/usage-data/total-count/": forbids(ORGANISATION_ADMIN),
    f"GET {ORGANISATION}/usage/": forbids(ORGANISATION_ADMIN),
    f"GET {ORGANISATION}/influx-data/": forbids(ORGANISATION_ADMIN),
    f"GET {ORGANISATION}/users/": forbids(MEMBER),
    f"POST {ORGANISATION}/users/{{user_id}}/update-role/": forbids(ORGANISATION_ADMIN),
    f"POST {ORGANISATION}/remove-users/": forbids(ORGANISATION_ADMIN),
}

PROJECTS = {
    "GET /api/v1/projects/": signed_in.shows_to("VIEW_PROJECT"),
    "POST /api/v1/projects/": forbids("CREATE_PROJECT"),
    "GET /api/v1/projects/permissions/": signed_in,
    "GET /api/v1/projects/get-by-uuid/{uuid}/": hides("VIEW_PROJECT"),
    "GET /api/v1/projects/{pk}/": hides("VIEW_PROJECT"),
    "PUT /api/v1/projects/{pk}/": hides("VIEW_PROJECT").forbids(PROJECT_ADMIN),
    "PATCH /api/v1/projects/{pk}/": hides("VIEW_PROJECT").forbids(PROJECT_ADMIN),
    "DELETE /api/v1/projects/{pk}/": hides("VIEW_PROJECT").forbids(PROJECT_ADMIN),
    "GET /api/v1/projects/{pk}/my-permissions/": hides("VIEW_PROJECT").machines(400, NO_USER),
    "POST /api/v1/projects/{pk}/migrate-to-edge/": hides("VIEW_PROJECT")
    .forbids(PROJECT_ADMIN)
    .or_answers(400, "There is no edge store."),
    f"GET {PROJECT}/environments/": hides("VIEW_PROJECT").forbids(PROJECT_ADMIN),
    f"GET {PROJECT}/tags/": forbids("VIEW_PROJECT"),
    f"POST {PROJECT}/tags/": forbids("MANAGE_TAGS"),
    f"GET {PROJECT}/tags/get-by-uuid/{{uuid}}/": hides("VIEW_PROJECT"),
    f"GET {PROJECT}/tags/{{pk}}/": hides("VIEW_PROJECT"),
    f"PUT {PROJECT}/tags/{{pk}}/": hides("VIEW_PROJECT", "MANAGE_TAGS").forbids("MANAGE_TAGS"),
    f"PATCH {PROJECT}/tags/{{pk}}/": hides("VIEW_PROJECT", "MANAGE_TAGS").forbids("MANAGE_TAGS"),
    f"DELETE {PROJECT}/tags/{{pk}}/": hides("VIEW_PROJECT", "MANAGE_TAGS").forbids("MANAGE_TAGS"),
}

ENVIRONMENTS = {
    "GET /api/v1/environments/": refuses(400, MEMBER).shows_to("VIEW_ENVIRONMENT"),
    "POST /api/v1/environments/": forbids("CREATE_ENVIRONMENT"),
    "GET /api/v1/environments/permissions/": signed_in,
    "GET /api/v1/environments/get-by-uuid/{uuid}/": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
    f"GET {ENVIRONMENT}/": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
    f"PUT {ENVIRONMENT}/": hides(MEMBER).forbids(ENVIRONMENT_ADMIN),
    f"PATCH {ENVIRONMENT}/": hides(MEMBER).forbids(ENVIRONMENT_ADMIN),
    f"DELETE {ENVIRONMENT}/": hides(MEMBER).forbids(ENVIRONMENT_ADMIN),
    f"GET {ENVIRONMENT}/my-permissions/": hides(MEMBER).forbids("VIEW_ENVIRONMENT").machines(400, NO_USER),
    f"POST {ENVIRONMENT}/clone/": forbids("CREATE_ENVIRONMENT"),
    f"GET {ENVIRONMENT}/document/": forbids("VIEW_ENVIRONMENT"),
    f"GET {ENVIRONMENT}/metrics/": forbids("VIEW_ENVIRONMENT"),
    f"GET {ENVIRONMENT}/onboarding-status/": public,
    f"PUT {ENVIRONMENT}/onboarding-status/": public,
    f"GET {ENVIRONMENT}/webhooks/": forbids("VIEW_ENVIRONMENT"),
    f"POST {ENVIRONMENT}/webhooks/": forbids(ENVIRONMENT_ADMIN),
    f"PUT {ENVIRONMENT}/webhooks/{{pk}}/": forbids(ENVIRONMENT_ADMIN),
    f"PATCH {ENVIRONMENT}/webhooks/{{pk}}/": forbids(ENVIRONMENT_ADMIN),
    f"DELETE {ENVIRONMENT}/webhooks/{{pk}}/": forbids(ENVIRONMENT_ADMIN),
    f"GET {ENVIRONMENT}/webhooks/{{webhook_pk}}/deliveries/": forbids("VIEW_ENVIRONMENT"),
    f"GET {ENVIRONMENT}/webhooks/{{webhook_pk}}/deliveries/{{pk}}/": forbids("VIEW_ENVIRONMENT"),
    f"POST {ENVIRONMENT}/webhooks/{{webhook_pk}}/deliveries/replay/": forbids(ENVIRONMENT_ADMIN),
    f"POST {ENVIRONMENT}/webhooks/{{webhook_pk}}/deliveries/{{pk}}/replay/": forbids(ENVIRONMENT_ADMIN),
    "POST /api/v1/webhooks/test/": forbids(ENVIRONMENT_ADMIN).or_answers(400, "It is no receiver."),
    f"GET {ENVIRONMENT}/api-keys/": forbids(ENVIRONMENT_ADMIN),
    f"POST {ENVIRONMENT}/api-keys/": forbids(ENVIRONMENT_ADMIN),
    f"PUT {ENVIRONMENT}/api-keys/{{pk}}/": forbids(ENVIRONMENT_ADMIN),
    f"PATCH {ENVIRONMENT}/api-keys/{{pk}}/": forbids(ENVIRONMENT_ADMIN),
    f"DELETE {ENVIRONMENT}/api-keys/{{pk}}/": forbids(ENVIRONMENT_ADMIN),
}

UPDATE = "UPDATE_FEATURE_STATE"
OVERRIDE = "MANAGE_SEGMENT_OVERRIDES"
ASK = "CREATE_CHANGE_REQUEST"

RESOURCES = f"{PROJECT}/features/{{feature_pk}}/feature-external-resources/"

FEATURES = {
    f"GET {PROJECT}/features/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/features/": forbids("CREATE_FEATURE").leaving_out("multivariate_options"),
    f"GET {PROJECT}/features/{{pk}}/": hides("VIEW_PROJECT"),
    f"PUT {PROJECT}/features/{{pk}}/": forbids("CREATE_FEATURE").leaving_out("multivariate_options"),
    f"PATCH {PROJECT}/features/{{pk}}/": forbids("CREATE_FEATURE").leaving_out("multivariate_options"),
    f"DELETE {PROJECT}/features/{{pk}}/": forbids("DELETE_FEATURE", for_tags=True),
    f"POST {PROJECT}/features/{{pk}}/add-owners/": forbids("CREATE_FEATURE"),
    f"POST {PROJECT}/features/{{pk}}/remove-owners/": forbids("CREATE_FEATURE"),
    f"POST {PROJECT}/features/{{pk}}/add-group-owners/": forbids("CREATE_FEATURE"),
    f"POST {PROJECT}/features/{{pk}}/remove-group-owners/": forbids("CREATE_FEATURE"),
    f"GET {PROJECT}/features/{{feature_pk}}/evaluation-data/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/code-references/": forbids("VIEW_PROJECT"),
    f"GET {PROJECT}/features/{{feature_pk}}/code-references/": hides("VIEW_PROJECT"),
    f"GET {RESOURCES}": hides("VIEW_PROJECT"),
    f"POST {RESOURCES}": forbids("CREATE_FEATURE"),
    f"GET {RESOURCES}{{pk}}/": hides("VIEW_PROJECT"),
    f"DELETE {RESOURCES}{{pk}}/": forbids("CREATE_FEATURE"),
    "GET /api/v1/environments/{environment_pk}/feature-lifecycle-counts/": forbids("VIEW_ENVIRONMENT"),
    f"GET {PROJECT}/feature-health/events/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/feature-health/events/{{pk}}/dismiss/": forbids(PROJECT_ADMIN),
    f"GET {PROJECT}/feature-health/providers/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/feature-health/providers/": forbids(PROJECT_ADMIN),
    f"DELETE {PROJECT}/feature-health/providers/{{name}}/": forbids(PROJECT_ADMIN),
    "POST /api/v1/feature-health/{signed}": public,
    f"GET {PROJECT}/features/{{feature_pk}}/influx-data/": hides("VIEW_PROJECT"),
    "GET /api/v1/features/get-by-uuid/{uuid}/": hides("VIEW_PROJECT"),
    f"GET {PROJECT}/features/{{feature_pk}}/mv-options/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/features/{{feature_pk}}/mv-options/": forbids("CREATE_FEATURE"),
    f"GET {PROJECT}/features/{{feature_pk}}/mv-options/{{pk}}/": hides("VIEW_PROJECT"),
    f"PUT {PROJECT}/features/{{feature_pk}}/mv-options/{{pk}}/": forbids("CREATE_FEATURE"),
    f"PATCH {PROJECT}/features/{{feature_pk}}/mv-options/{{pk}}/": forbids("CREATE_FEATURE"),
    f"DELETE {PROJECT}/features/{{feature_pk}}/mv-options/{{pk}}/": forbids("CREATE_FEATURE"),
    "GET /api/v1/multivariate/options/get-by-uuid/{uuid}/": hides("VIEW_PROJECT"),
    f"GET {ENVIRONMENT}/featurestates/": forbids("VIEW_ENVIRONMENT"),
    f"POST {ENVIRONMENT}/featurestates/": forbids(UPDATE, for_tags=True),
    f"GET {ENVIRONMENT}/featurestates/{{pk}}/": forbids("VIEW_ENVIRONMENT"),
    f"PUT {ENVIRONMENT}/featurestates/{{pk}}/": forbids(UPDATE, for_tags=True),
    f"PATCH {ENVIRONMENT}/featurestates/{{pk}}/": forbids(UPDATE, for_tags=True),
    f"DELETE {ENVIRONMENT}/featurestates/{{pk}}/": forbids(UPDATE, for_tags=True),
    f"GET {ENVIRONMENT}/prerequisites/": forbids("VIEW_ENVIRONMENT"),
    f"GET {ENVIRONMENT}/prerequisites/{{pk}}/": forbids("VIEW_ENVIRONMENT"),
    **{
        f"{method} {ENVIRONMENT}/prerequisites/{pk}": forbids(UPDATE, for_tags=True)
        for method, pk in (("POST", ""), ("PUT", "{pk}/"), ("PATCH", "{pk}/"), ("DELETE", "{pk}/"))
    },
    f"GET {IDENTITY}/featurestates/": forbids("VIEW_ENVIRONMENT"),
    f"POST {IDENTITY}/featurestates/": forbids(UPDATE, for_tags=True),
    f"GET {IDENTITY}/featurestates/{{pk}}/": forbids("VIEW_ENVIRONMENT"),
    f"PUT {IDENTITY}/featurestates/{{pk}}/": forbids(UPDATE, for_tags=True),
    f"PATCH {IDENTITY}/featurestates/{{pk}}/": forbids(UPDATE, for_tags=True),
    f"DELETE {IDENTITY}/featurestates/{{pk}}/": forbids(UPDATE, for_tags=True),
    f"GET {IDENTITY}/featurestates/all/": forbids("VIEW_ENVIRONMENT"),
    # Whatever the features' tags: it may change all of them.
    f"POST {IDENTITY}/featurestates/clone-from-given-identity/": forbids(UPDATE),
    f"PUT {BY_IDENTIFIER}": forbids(UPDATE, for_tags=True),
    f"DELETE {BY_IDENTIFIER}": forbids(UPDATE, for_tags=True),
    f"GET {ENVIRONMENT}/edge-identity-overrides": forbids("VIEW_IDENTITIES"),
    **{
        f"{method} {ENVIRONMENT}/edge-identities/{one}": forbids(
            "VIEW_IDENTITIES" if method == "GET" else "MANAGE_IDENTITIES"
        ).or_answers(400, "Identities are kept in no edge store.")
        for one, methods in (("", ("GET", "POST")), ("{identity_uuid}/", ("GET", "PUT", "PATCH", "DELETE")))
        for method in methods
    },
    "GET /api/v1/features/featurestates/": forbids("VIEW_ENVIRONMENT"),
    "POST /api/v1/features/featurestates/": forbids(UPDATE, for_tags=True),
    "PUT /api/v1/features/featurestates/{pk}/": hides(MEMBER).forbids(UPDATE, for_tags=True),
    "PATCH /api/v1/features/featurestates/{pk}/": hides(MEMBER).forbids(UPDATE, for_tags=True),
    "GET /api/v1/features/featurestates/get-by-uuid/{uuid}/": hides("VIEW_PROJECT"),
    "GET /api/v1/features/feature-segments/": forbids("VIEW_PROJECT"),
    "POST /api/v1/features/feature-segments/": forbids(OVERRIDE, for_tags=True),
    **{
        f"{method} /api/v1/features/feature-segments/{{pk}}/": hides(MEMBER).forbids(OVERRIDE, for_tags=True)
        for method in ("GET", "PUT", "PATCH", "DELETE")
    },
    "GET /api/v1/features/feature-segments/get-by-uuid/{uuid}/": hides("VIEW_PROJECT"),
    "POST /api/v1/features/feature-segments/update-priorities/": refuses(400, MEMBER).forbids(
        OVERRIDE, for_tags=True
    ),
    "POST /api/v1/features/create-feature-export/": forbids(ENVIRONMENT_ADMIN),
    "GET /api/v1/features/download-feature-export/{pk}/": hides(MEMBER).forbids(ENVIRONMENT_ADMIN),
    f"GET {PROJECT}/feature-exports/": hides("VIEW_PROJECT").shows_to(ENVIRONMENT_ADMIN),
    "POST /api/v1/features/feature-import/{environment_pk}": forbids(ORGANISATION_ADMIN),
    f"GET {PROJECT}/feature-imports/": hides("VIEW_PROJECT").shows_to(ENVIRONMENT_ADMIN),
    f"POST {UPDATES}/update-flag-v1/": forbids(UPDATE, for_tags=True),
    f"POST {UPDATES}/update-flag-v2/": forbids(UPDATE, for_tags=True),
    f"POST {UPDATES}/delete-segment-override/": forbids(UPDATE, for_tags=True),
    f"POST {ENVIRONMENT}/features/{{feature_pk}}/create-segment-override/": hides(MEMBER).forbids(
        OVERRIDE, for_tags=True
    ),
    f"GET {FLAG}/": hides("VIEW_ENVIRONMENT", UPDATE, OVERRIDE, for_tags=True),
    f"PUT {FLAG}/": hides(UPDATE, OVERRIDE, for_tags=True)
    .forbids(UPDATE, for_tags=True)
    .forbids(OVERRIDE, for_tags=True),
    f"PATCH {FLAG}/": hides(UPDATE, OVERRIDE, for_tags=True)
    .forbids(UPDATE, for_tags=True)
    .forbids(OVERRIDE, for_tags=True),
    f"DELETE {FLAG}/segment-overrides/{{segment_pk}}/": hides(UPDATE, OVERRIDE, for_tags=True).forbids(
        OVERRIDE, for_tags=True
    ),
    f"POST {ENVIRONMENT}/enable-v2-versioning/": forbids(ENVIRONMENT_ADMIN),
    f"POST {ENVIRONMENT}/disable-v2-versioning/": forbids(ENVIRONMENT_ADMIN),
    f"GET {VERSIONS}/": hides("VIEW_PROJECT").hides("VIEW_ENVIRONMENT"),
    f"GET {VERSIONS}/{{version_uuid}}/featurestates/": hides("VIEW_PROJECT").hides("VIEW_ENVIRONMENT"),
    **{
        f"{route}/": hides(MEMBER).forbids(UPDATE, for_tags=True)
        for route in (
            f"POST {VERSIONS}",
            f"DELETE {VERSIONS}/{{version_uuid}}",
            f"POST {VERSIONS}/{{version_uuid}}/publish",
            f"POST {VERSIONS}/{{version_uuid}}/featurestates",
            f"PUT {VERSIONS}/{{version_uuid}}/featurestates/{{pk}}",
            f"PATCH {VERSIONS}/{{version_uuid}}/featurestates/{{pk}}",
            f"DELETE {VERSIONS}/{{version_uuid}}/featurestates/{{pk}}",
        )
    },
    "GET /api/v1/environment-feature-versions/{version_uuid}/": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
    f"POST {ENVIRONMENT}/create-change-request/": forbids("CREATE_CHANGE_REQUEST", for_tags=True),
    f"GET {ENVIRONMENT}/list-change-requests/": forbids("VIEW_ENVIRONMENT"),
    f"GET {REQUEST}/": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
    f"PUT {REQUEST}/": hides(MEMBER).forbids(ENVIRONMENT_ADMIN),
    f"PATCH {REQUEST}/": hides(MEMBER).forbids(ENVIRONMENT_ADMIN),
    f"DELETE {REQUEST}/": hides(MEMBER).forbids(ENVIRONMENT_ADMIN),
    f"POST {REQUEST}/approve/": hides(MEMBER)
    .forbids("APPROVE_CHANGE_REQUEST", for_tags=True)
    .machines(403, ONLY_PEOPLE),
    f"POST {REQUEST}/commit/": hides(MEMBER).forbids(UPDATE, for_tags=True),
    f"GET {COMMENTS}": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
    f"POST {COMMENTS}": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
    f"GET {PROJECT}/change-requests/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/change-requests/": forbids("CREATE_PROJECT_LEVEL_CHANGE_REQUESTS"),
    f"GET {PROJECT}/change-requests/{{pk}}/": hides("VIEW_PROJECT"),
    f"PUT {PROJECT}/change-requests/{{pk}}/": forbids("MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS"),
    f"PATCH {PROJECT}/change-requests/{{pk}}/": forbids("MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS"),
    f"DELETE {PROJECT}/change-requests/{{pk}}/": forbids("MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS"),
    f"POST {PROJECT}/change-requests/{{pk}}/approve/": forbids(
        "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS"
    ).machines(403, ONLY_PEOPLE),
    f"POST {PROJECT}/change-requests/{{pk}}/commit/": forbids("MANAGE_SEGMENTS"),
    f"GET {PROJECT}/change-requests/{{change_request_pk}}/comments/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/change-requests/{{change_request_pk}}/comments/": forbids("VIEW_PROJECT"),
}

RELEASES = {
    f"POST {REQUEST}/preview/": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
    # Environments that one may not look at are left out of the answer.
    f"POST {PROJECT}/change-requests/{{pk}}/preview/": forbids("VIEW_PROJECT"),
    f"GET {REVISIONS}/": forbids("VIEW_ENVIRONMENT"),
    f"GET {REVISIONS}/{{revision}}/": forbids("VIEW_ENVIRONMENT"),
    f"GET {REVISIONS}/compare/": forbids("VIEW_ENVIRONMENT"),
    # The examples ask for approval. What is done at once takes the permissions of each change.
    f"POST {REVISIONS}/{{revision}}/rollback/": forbids("VIEW_ENVIRONMENT").forbids(ASK, for_tags=True),
    f"POST {REVISIONS}/{{revision}}/rollback/preview/": forbids("VIEW_ENVIRONMENT"),
    f"GET {PROMOTION}/": forbids("VIEW_ENVIRONMENT"),
    f"POST {PROMOTION}/": forbids("VIEW_ENVIRONMENT").forbids(ASK, for_tags=True),
    f"POST {PROMOTION}/preview/": forbids("VIEW_ENVIRONMENT"),
    f"GET {VERSIONS}/{{version_uuid}}/compare/": hides("VIEW_PROJECT").hides("VIEW_ENVIRONMENT"),
    f"POST {VERSIONS}/{{version_uuid}}/preview/": hides(MEMBER).forbids("VIEW_ENVIRONMENT"),
}

SEGMENTS = {
    f"GET {PROJECT}/segments/": hides("VIEW_PROJECT"),
    f"POST {PROJECT}/segments/": forbids("MANAGE_SEGMENTS"),
    f"GET {PROJECT}/segments/{{pk}}/": hides("VIEW_PROJECT"),
    f"PUT {PROJECT}/segments/{{pk}}/": forbids("MANAGE_SEGMENTS"),
    f"PATCH {PROJECT}/segments/{{pk}}/": forbids("MANAGE_SEGMENTS"),
    f"DELETE {PROJECT}/segments/{{pk}}/": forbids("MANAGE_SEGMENTS"),
    f"POST {PROJECT}/segments/{{pk}}/clone/": forbids("MANAGE_SEGMENTS"),
    f"GET {PROJECT}/segments/{{segment_pk}}/associated-features/": hides("VIEW_PROJECT"),
    f"GET {PROJECT}/segments/{{segment_pk}}/where-used/": hides("VIEW_PROJECT"),
    "GET /api/v1/segments/get-by-uuid/{uuid}/": hides("VIEW_PROJECT"),
}

IDENTITIES = {
    f"GET {ENVIRONMENT}/identities/": forbids("VIEW_IDENTITIES"),
    f"POST {ENVIRONMENT}/identities/": forbids("MANAGE_IDENTITIES"),
    f"GET {ENVIRONMENT}/identities/{{pk}}/": forbids("VIEW_IDENTITIES"),
    f"PUT {ENVIRONMENT}/identities/{{pk}}/": forbids("MANAGE_IDENTITIES"),
    f"PATCH {ENVIRONMENT}/identities/{{pk}}/": forbids("MANAGE_IDENTITIES"),
    f"DELETE {ENVIRONMENT}/identities/{{pk}}/": forbids("MANAGE_IDENTITIES"),
    f"GET {IDENTITY}/traits/": forbids("VIEW_IDENTITIES"),
    f"POST {IDENTITY}/traits/": forbids("MANAGE_IDENTITIES"),
    f"GET {IDENTITY}/traits/{{pk}}/": forbids("VIEW_IDENTITIES"),
    f"PUT {IDENTITY}/traits/{{pk}}/": forbids("MANAGE_IDENTITIES"),
    f"PATCH {IDENTITY}/traits/{{pk}}/": forbids("MANAGE_IDENTITIES"),
    f"DELETE {IDENTITY}/traits/{{pk}}/": forbids("MANAGE_IDENTITIES"),
    f"POST {PROJECT}/erase-identifier/": forbids(PROJECT_ADMIN),
    f"POST {ORGANISATION}/erase-identifier/": forbids(ORGANISATION_ADMIN),
    f"GET {ENVIRONMENT}/trait-keys/": forbids("VIEW_ENVIRONMENT"),
    f"POST {ENVIRONMENT}/delete-traits/": forbids(ENVIRONMENT_ADMIN),
}

AUDIT_LOG = {
    "GET /api/v1/audit/": signed_in.shows_to(ORGANISATION_ADMIN),
    "GET /api/v1/audit/{pk}/": hides(ORGANISATION_ADMIN),
    "GET /api/v1/audit/export/": signed_in.shows_to(ORGANISATION_ADMIN),
    **{f"GET {ORGANISATION}/audit/{rest}": forbids(ORGANISATION_ADMIN) for rest in ("", "{pk}/", "export/")},
    **{f"GET {PROJECT}/audit/{rest}": forbids("VIEW_AUDIT_LOG") for rest in ("", "{pk}/", "export/")},
}

SDK = {
    "GET /api/v1/flags/": sdk.answers_elsewhere(404, "It names a feature, which is none there."),
    "GET /api/v1/flags/{identifier}": sdk,
    "GET /api/v1/flags/{feature_id}/multivariate-options/": sdk.answers_elsewhere(
        404, "The key says whose environment it is; the feature is no feature there."
    ),
    "GET /api/v1/identities/": sdk,
    "POST /api/v1/identities/": sdk,
    "GET /api/v1/identities/{identifier}/": sdk,
    "POST /api/v1/identities/{identifier}/traits/{trait_key}": sdk,
    "POST /api/v1/bulk-identities/": sdk,
    "POST /api/v1/traits/": sdk,
    "PUT /api/v1/traits/bulk/": sdk,
    "POST /api/v1/traits/increment-value/": sdk,
    "POST /api/v1/analytics/flags/": sdk,
    "POST /api/v2/analytics/flags/": sdk.answers_elsewhere(204, "What isn't the project's own is dropped."),
    "GET /api/v1/environment-document/": public.forbids(SERVER_KEY),
    "POST /ofrep/v1/evaluate/flags": public.refuses(401, SDK_KEY),
    "POST /ofrep/v1/evaluate/flags/{key}": public.refuses(401, SDK_KEY).answers_elsewhere(
        404, "No flag of that name is there."
    ),
    # Who may listen has the environment's key: it stands in the path.
    "GET /sse/environments/{client_key}/stream": public,
    "GET /api/v1/sse/environments/{client_key}/stream": public,
    "GET /ofrep/v1/events/{client_key}": public,
    "GET /api/v1/ofrep/v1/events/{client_key}": public,
}

OPEN = {
    "POST /api/v1/analytics/telemetry/": public,
    "GET /config": Right(unwalked="It is for services, whose key is the installation's."),
    "GET /health": public,
    "GET /health/liveness/": public,
    "GET /health/readiness/": public,
    "GET /healthcheck": public,
    "GET /version/": public,
    "GET /metrics/": public,
    "GET /robots.txt": public,
    "GET /config/project-overrides": public,
    "GET /processor/monitoring/": Right(unwalked="It is for staff, who are no organisation's."),
    "GET /scheduler/jobs/": Right(unwalked="It is for staff, who are no organisation's."),
    "GET /database/sizes/": Right(unwalked="It is for staff, who are no organisation's."),
    "GET /api/v1/docs/": public,
    "GET /api/v1/swagger.json": public,
    "GET /api/v1/swagger.yaml": public,
}

CHANGING_GRANTS = [("POST", ""), ("GET", "{pk}/"), ("PUT", "{pk}/"), ("PATCH", "{pk}/"), ("DELETE", "{pk}/")]

GROUP = f"{ORGANISATION}/groups/{{pk}}/"
group = forbids(MEMBER).hides("MANAGE_USER_GROUPS", GROUP_ADMIN)
administrators = forbids(ORGANISATION_ADMIN)
NO_PLAN = "There is no plan to change or to pay."

TEAMS = {
    f"GET {ORGANISATION}/groups/": forbids(MEMBER),
    f"POST {ORGANISATION}/groups/": forbids("MANAGE_USER_GROUPS"),
    f"GET {ORGANISATION}/groups/my-groups/": forbids(MEMBER),
    f"GET {ORGANISATION}/groups/summaries/": forbids(MEMBER),
    f"GET {GROUP}": group,
    f"PUT {GROUP}": group,
    f"PATCH {GROUP}": group,
    f"DELETE {GROUP}": group,
    f"POST {GROUP}add-users/": group,
    f"POST {GROUP}remove-users/": group,
    f"POST {ORGANISATION}/groups/{{group_pk}}/users/{{user_id}}/make-admin": administrators,
    f"POST {ORGANISATION}/groups/{{group_pk}}/users/{{user_id}}/remove-admin": administrators,
    f"GET {ORGANISATION}/invite-links/": administrators,
    f"POST {ORGANISATION}/invite-links/": administrators,
    f"DELETE {ORGANISATION}/invite-links/{{pk}}/": administrators,
    f"POST {ORGANISATION}/invite/": administrators,
    f"GET {ORGANISATION}/invites/": administrators,
    f"POST {ORGANISATION}/invites/": administrators,
    f"GET {ORGANISATION}/invites/{{pk}}/": administrators,
    f"DELETE {ORGANISATION}/invites/{{pk}}/": administrators,
    f"POST {ORGANISATION}/invites/{{pk}}/resend/": administrators,
    "POST /api/v1/users/join/{hash}/": Right(unwalked="The hash is what lets in, together with the address."),
    "POST /api/v1/users/join/link/{hash}/": Right(unwalked="The hash is what lets in, whoever has it."),
    f"GET {ORGANISATION}/webhooks/": administrators,
    f"POST {ORGANISATION}/webhooks/": administrators,
    **{
        f"{method} {ORGANISATION}/webhooks/{{pk}}/": administrators
        for method in ("GET", "PUT", "PATCH", "DELETE")
    },
    f"GET {ORGANISATION}/webhooks/{{webhook_pk}}/deliveries/": administrators,
    f"GET {ORGANISATION}/webhooks/{{webhook_pk}}/deliveries/{{pk}}/": administrators,
    f"POST {ORGANISATION}/webhooks/{{webhook_pk}}/deliveries/replay/": administrators,
    f"POST {ORGANISATION}/webhooks/{{webhook_pk}}/deliveries/{{pk}}/replay/": administrators,
    f"GET {ORGANISATION}/api-usage-notification/": forbids(MEMBER),
    f"GET {ORGANISATION}/portal-url/": administrators.or_answers(400, NO_PLAN),
    f"POST {ORGANISATION}/get-hosted-page-url-for-subscription-upgrade/": administrators.or_answers(
        400, NO_PLAN
    ),
    f"POST {ORGANISATION}/update-subscription/": administrators.or_answers(400, NO_PLAN),
}

ROLE = f"{ORGANISATION}/roles/{{role_pk}}/"

ROLES = {
    **{
        f"{method} {path}{rest}": administrators
        for path in (
            f"{ORGANISATION}/roles/",
            f"{ROLE}users/",
            f"{ROLE}groups/",
            f"{ROLE}master-api-keys/",
            f"{ROLE}organisation-permissions/",
            f"{ROLE}projects-permissions/",
            f"{ROLE}environments-permissions/",
        )
        for method, rest in [("GET", ""), *CHANGING_GRANTS]
    },
    f"GET {ORGANISATION}/users/{{user_pk}}/roles/": administrators,
    f"DELETE {ORGANISATION}/users/{{user_pk}}/roles/{{role_pk}}/": administrators,
    f"GET {ORGANISATION}/groups/{{group_pk}}/roles/": administrators,
    f"DELETE {ORGANISATION}/groups/{{group_pk}}/roles/{{role_pk}}/": administrators,
    f"GET {ORGANISATION}/master-api-keys/{{prefix}}/roles/": administrators,
    f"DELETE {ORGANISATION}/master-api-keys/{{prefix}}/roles/{{role_pk}}/detach-roles-from-master-api-key/": (
        administrators
    ),
}

GRANTS = {
    f"GET {ORGANISATION}/user-detailed-permissions/{{user_pk}}/": forbids(SELF, ORGANISATION_ADMIN),
    f"GET {ENVIRONMENT}/user-detailed-permissions/{{user_pk}}/": hides(MEMBER).forbids(
        SELF, ENVIRONMENT_ADMIN
    ),
    "GET /api/v1/projects/{pk}/user-detailed-permissions/{user_pk}/": hides(MEMBER).forbids(
        SELF, PROJECT_ADMIN
    ),
    "GET /api/v1/projects/{pk}/all-user-permissions/{user_pk}/": forbids(PROJECT_ADMIN),
    **{
        f"{method} {place}/user-{group}permissions/{rest}": forbids(administrator)
        for group in ("", "group-")
        for place, administrator in [
            (ORGANISATION, ORGANISATION_ADMIN),
            (PROJECT, PROJECT_ADMIN),
            (ENVIRONMENT, ENVIRONMENT_ADMIN),
        ]
        for method, rest in CHANGING_GRANTS
        if (place, method) != (ORGANISATION, "GET")
    },
    f"GET {ORGANISATION}/user-permissions/": forbids(ORGANISATION_ADMIN),
    f"GET {ORGANISATION}/user-group-permissions/": forbids(ORGANISATION_ADMIN),
    f"GET {PROJECT}/user-permissions/": forbids(PROJECT_ADMIN),
    f"GET {PROJECT}/user-group-permissions/": forbids(PROJECT_ADMIN),
    f"GET {ENVIRONMENT}/user-permissions/": forbids("VIEW_ENVIRONMENT"),
    f"GET {ENVIRONMENT}/user-group-permissions/": forbids("VIEW_ENVIRONMENT"),
}

# Machines manage no credentials of machines: for that, a master key isn't one.
MASTER_KEYS = {
    f"{method} {ORGANISATION}/master-api-keys/{rest}": people.forbids(ORGANISATION_ADMIN)
    for method, rest in [
        ("GET", ""),
        ("POST", ""),
        *((method, "{prefix}/") for method in ("GET", "PUT", "PATCH", "DELETE")),
    ]
}

FIELDS = "/api/v1/metadata/fields/"
ATTACHMENTS = f"{ORGANISATION}/metadata-model-fields/"

CUSTOM_FIELDS = {
    f"GET {FIELDS}": signed_in.shows_to(MEMBER),
    f"POST {FIELDS}": forbids(PROJECT_ADMIN),  # of a field of the project
    f"GET {FIELDS}{{pk}}/": hides(MEMBER),
    f"PUT {FIELDS}{{pk}}/": hides(MEMBER).forbids(ORGANISATION_ADMIN),
    f"PATCH {FIELDS}{{pk}}/": hides(MEMBER).forbids(ORGANISATION_ADMIN),
    f"DELETE {FIELDS}{{pk}}/": hides(MEMBER).forbids(ORGANISATION_ADMIN),
    f"GET {PROJECT}/metadata/fields/": hides("VIEW_PROJECT"),
    f"GET {PROJECT}/metadata/fields/{{pk}}/": hides("VIEW_PROJECT"),
    f"GET {ATTACHMENTS}": forbids(MEMBER),
    f"POST {ATTACHMENTS}": forbids(PROJECT_ADMIN),  # of a field of the project
    f"GET {ATTACHMENTS}supported-content-types/": forbids(MEMBER),
    f"GET {ATTACHMENTS}supported-required-for-models/": forbids(MEMBER),
    f"GET {ATTACHMENTS}{{pk}}/": forbids(MEMBER),
    f"PUT {ATTACHMENTS}{{pk}}/": forbids(ORGANISATION_ADMIN),
    f"PATCH {ATTACHMENTS}{{pk}}/": forbids(ORGANISATION_ADMIN),
    f"DELETE {ATTACHMENTS}{{pk}}/": forbids(ORGANISATION_ADMIN),
}

# What is below a place, who reads it and who writes it.
_CONNECTED = {
    Level.ENVIRONMENT: (ENVIRONMENT, forbids("VIEW_ENVIRONMENT"), forbids(ENVIRONMENT_ADMIN)),
    Level.PROJECT: (PROJECT, hides("VIEW_PROJECT"), forbids(PROJECT_ADMIN)),
    Level.ORGANISATION: (ORGANISATION, administrators, administrators),
}
INTEGRATIONS = {
    f"{method} {place}/integrations/{kind.name}/{rest}": reading if method == "GET" else writing
    for level, (place, reading, writing) in _CONNECTED.items()
    for kind in KINDS.values()
    if level in kind.levels
    for method, rest in [
        ("GET", ""),
        ("POST", ""),
        *[(each, "{pk}/") for each in ("GET", "PUT", "PATCH", "DELETE")],
    ]
}
INTEGRATIONS |= {
    f"GET {ENVIRONMENT}/integrations/slack-channels/": forbids(ENVIRONMENT_ADMIN),
    f"GET {ENVIRONMENT}/integrations/slack/signature/": forbids(ENVIRONMENT_ADMIN),
    f"GET {ENVIRONMENT}/integrations/slack/oauth/": public,
    f"GET {ENVIRONMENT}/integrations/slack/callback/": public.or_answers(403, "It needs a session."),
}

RIGHTS: dict[str, Right] = {
    **INTEGRATIONS,
    **ACCOUNTS,
    **ORGANISATIONS,
    **PROJECTS,
    **ENVIRONMENTS,
    **FEATURES,
    **RELEASES,
    **SEGMENTS,
    **IDENTITIES,
    **AUDIT_LOG,
    **TEAMS,
    **GRANTS,
    **ROLES,
    **MASTER_KEYS,
    **CUSTOM_FIELDS,
    **SDK,
    **OPEN,
}
