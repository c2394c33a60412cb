"""What each DELETE does: to the row itself, and to what hangs on it. docs/deleting.md shows this table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.tests.examples.integrations import BELOW, connected
from app.tests.world import World
from integrations.kinds import KINDS
from permissions.catalogue import Level

ORGANISATION = "/api/v1/organisations/{organisation_pk}"
PROJECT = "/api/v1/projects/{project_pk}"
VERSION = "/api/v1/environments/{environment_pk}/features/{feature_pk}/versions/{version_uuid}"
ENVIRONMENT = "/api/v1/environments/{environment_key}"

# What goes with a project, an environment or a feature, as far as it goes by itself.
STATES = {"features.FeatureState", "features.FeatureSegment"}
REQUESTED = {"workflows.RequestedChange"}
REQUESTS = {"workflows.ChangeRequest"} | REQUESTED
OF_FEATURE = STATES | REQUESTED | {"features.EnvironmentFeatureVersion"}
IN_ENVIRONMENT = STATES | REQUESTS | {"features.EnvironmentDefaults"}
IN_PROJECT = (
    OF_FEATURE | IN_ENVIRONMENT | {"environments.Environment", "segments.Segment", "features.Feature"}
)
IN_ORGANISATION = IN_PROJECT | {"projects.Project", "organisations.MasterKey"}


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """What a DELETE does.

    Attributes:
        object: what is deleted, for people.
        model: its label. It goes, unless `is_marked`: then its row stays, marked, for history.
        takes: what is gone with it, for people.
        models: the labels of what is gone with it.
        stays: what might be thought to go too, and why somebody can't delete it.
        path: whatever of the address shall be of something with more hanging on it than the route's example.
    """

    object: str
    path: str
    model: str
    is_marked: bool = False
    takes: str = ""
    models: frozenset[str] | set[str] = frozenset()
    stays: str = ""
    named: Callable[[World], dict[str, Any]] = lambda world: {}

    @property
    def row(self) -> str:
        """Return the row of the table that people read."""
        itself = "is marked" if self.is_marked else "goes"
        return f"| {self.object} | `{self.path}` | {itself} | {self.takes or '–'} | {self.stays or '–'} |"


DELETIONS = [
    Deletion(
        object="organisation",
        path=f"{ORGANISATION}/",
        model="organisations.Organisation",
        is_marked=True,
        takes="its projects with all that is in them, its master API keys",
        models=IN_ORGANISATION,
        stays="Accounts of its members. Nobody reaches it any more, and none of its keys works.",
    ),
    Deletion(
        object="project",
        path="/api/v1/projects/{pk}/",
        model="projects.Project",
        is_marked=True,
        takes="its environments, features and segments with all that is in them",
        models=IN_PROJECT,
        stays="Nobody reaches it any more, and no key of its environments works.",
    ),
    Deletion(
        object="environment",
        path=f"{ENVIRONMENT}/",
        model="environments.Environment",
        is_marked=True,
        takes="its feature states, overrides, versions and change requests",
        models=IN_ENVIRONMENT,
        stays="Its keys, webhooks and identities are kept with it, out of reach. No key works.",
    ),
    Deletion(
        object="feature",
        path=f"{PROJECT}/features/{{pk}}/",
        model="features.Feature",
        is_marked=True,
        takes="its states, overrides and versions everywhere, segments made for it alone, "
        "what change requests want of it",
        models=OF_FEATURE,
        stays="Its variants and prerequisites are kept with it, for history. Its name is free again. "
        "One that others need: 409, which names them.",
    ),
    Deletion(
        object="variant",
        path=f"{PROJECT}/features/{{feature_pk}}/mv-options/{{pk}}/",
        model="features.MultivariateOption",
        takes="its shares everywhere",
        models={"features.MultivariateFeatureStateValue"},
        stays="The other shares. Without its last variant the feature is a standard one. "
        "One that others need: 409, which names them.",
    ),
    Deletion(
        object="feature state of an environment",
        path=f"{ENVIRONMENT}/featurestates/{{pk}}/",
        model="features.FeatureState",
        is_marked=True,
    ),
    Deletion(
        object="prerequisite",
        path=f"{ENVIRONMENT}/prerequisites/{{pk}}/",
        model="features.Prerequisite",
        stays="Both features.",
    ),
    Deletion(
        object="override for an identity",
        path=f"{ENVIRONMENT}/identities/{{identity_pk}}/featurestates/{{pk}}/",
        model="features.FeatureState",
        is_marked=True,
    ),
    Deletion(
        object="override for a segment",
        path="/api/v1/features/feature-segments/{pk}/",
        model="features.FeatureSegment",
        is_marked=True,
        takes="its state",
        models={"features.FeatureState"},
        stays="The overrides after it move up.",
    ),
    Deletion(
        object="version of a feature",
        path=f"{VERSION}/",
        model="features.EnvironmentFeatureVersion",
        is_marked=True,
        takes="its states and overrides",
        models=STATES,
        stays="One that is served, or was: 400.",
        named=lambda world: {"version_uuid": world.draft_with_override.pk},
    ),
    Deletion(
        object="override in a version",
        path=f"{VERSION}/featurestates/{{pk}}/",
        model="features.FeatureState",
        is_marked=True,
        takes="its place in the order",
        models={"features.FeatureSegment"},
        stays="The state for everybody, and whatever was published: 400.",
    ),
    Deletion(
        object="segment",
        path=f"{PROJECT}/segments/{{pk}}/",
        model="segments.Segment",
        is_marked=True,
        takes="all overrides for it, everywhere, what change requests want of it",
        models=STATES | REQUESTED,
    ),
    Deletion(
        object="change request",
        path="/api/v1/features/workflows/change-requests/{pk}/",
        model="workflows.ChangeRequest",
        is_marked=True,
        takes="what it would change; its schedule",
        models=REQUESTED,
        stays="One that has taken effect: 400.",
    ),
    Deletion(
        object="change request of segments",
        path=f"{PROJECT}/change-requests/{{pk}}/",
        model="workflows.ChangeRequest",
        is_marked=True,
        takes="what it would change",
        models=REQUESTED,
        stays="One that has taken effect: 400.",
    ),
    Deletion(
        object="tag",
        path=f"{PROJECT}/tags/{{pk}}/",
        model="projects.Tag",
        stays="Features lose it. Permissions for its features alone end. A tag of the system: 400.",
    ),
    Deletion(
        object="identity",
        path=f"{ENVIRONMENT}/identities/{{pk}}/",
        model="identities.Identity",
        takes="its traits and overrides",
        models={"features.FeatureState"},
    ),
    Deletion(
        object="server-side key",
        path=f"{ENVIRONMENT}/api-keys/{{pk}}/",
        model="environments.ServerSideKey",
        stays="It works no longer.",
    ),
    Deletion(
        object="webhook of an environment",
        path=f"{ENVIRONMENT}/webhooks/{{pk}}/",
        model="environments.EnvironmentWebhook",
        takes="what waits to be sent to it, and the log of what was",
        models={"webhooks.Delivery", "webhooks.Receiver"},
    ),
    Deletion(
        object="webhook of an organisation",
        path=f"{ORGANISATION}/webhooks/{{pk}}/",
        model="organisations.OrganisationWebhook",
        takes="what waits to be sent to it, and the log of what was",
        models={"webhooks.Delivery", "webhooks.Receiver"},
    ),
    Deletion(
        object="link of a feature",
        path=f"{PROJECT}/features/{{feature_pk}}/feature-external-resources/{{pk}}/",
        model="features.ExternalResource",
    ),
    Deletion(
        object="monitoring of features' health",
        path=f"{PROJECT}/feature-health/providers/{{name}}/",
        model="health.HealthProvider",
        takes="what it has reported",
        models={"health.HealthEvent"},
        stays="Its address works no longer.",
    ),
    Deletion(
        object="connection with another service",
        path=f"{ENVIRONMENT}/integrations/webhook/{{pk}}/",
        model="integrations.Integration",
        is_marked=True,
        stays="Its keys and addresses are forgotten at once.",
        named=lambda world: connected(world, KINDS["webhook"], Level.ENVIRONMENT),
    ),
    Deletion(
        object="custom field",
        path="/api/v1/metadata/fields/{pk}/",
        model="metadata.CustomField",
        takes="its values everywhere, what it is attached to and required in",
        models={"metadata.Attachment", "metadata.Value"},
    ),
    Deletion(
        object="attachment of a custom field",
        path=f"{ORGANISATION}/metadata-model-fields/{{pk}}/",
        model="metadata.Attachment",
        takes="the values of objects of this kind",
        models={"metadata.Value"},
    ),
    Deletion(
        object="group",
        path=f"{ORGANISATION}/groups/{{pk}}/",
        model="organisations.Group",
        takes="who is in it, what was granted to it, its roles",
        models={
            "organisations.GroupMembership",
            "permissions.EnvironmentGrant",
            "permissions.OrganisationGrant",
            "permissions.ProjectGrant",
            "permissions.RoleAssignment",
        },
        stays="Its members and the roles themselves.",
        named=lambda world: {"pk": world.granted_group.pk},
    ),
    Deletion(
        object="role",
        path=f"{ORGANISATION}/roles/{{pk}}/",
        model="permissions.Role",
        takes="what it grants, and that users, groups and keys have it",
        models={
            "permissions.EnvironmentGrant",
            "permissions.OrganisationGrant",
            "permissions.ProjectGrant",
            "permissions.RoleAssignment",
        },
        named=lambda world: {"pk": world.granted_role.pk},
    ),
    Deletion(
        object="master API key",
        path=f"{ORGANISATION}/master-api-keys/{{prefix}}/",
        model="organisations.MasterKey",
        is_marked=True,
        takes="its roles",
        models={"permissions.RoleAssignment"},
        stays="It opens nothing any more. What was done with it still names it.",
        named=lambda world: {"prefix": world.roled_key.prefix},
    ),
    Deletion(
        object="invitation by mail", path=f"{ORGANISATION}/invites/{{pk}}/", model="organisations.Invite"
    ),
    Deletion(
        object="invitation link",
        path=f"{ORGANISATION}/invite-links/{{pk}}/",
        model="organisations.InviteLink",
        stays="Who has joined by it.",
    ),
    Deletion(
        object="one's own account",
        path="/api/v1/auth/users/me/",
        model="users.User",
        takes="its tokens, its places in organisations and groups, what was granted to it",
        models={
            "authtoken.Token",
            "authtoken.TokenProxy",
            "organisations.GroupMembership",
            "organisations.OrganisationMembership",
        },
        stays="What it has done, in the audit log. The last administrator of others: 400.",
    ),
]
# Permissions that are taken back, roles that somebody no longer has, traits, tokens: nothing else goes.
ALONE = {
    "/api/v1/auth/token/": "authtoken.Token",
    f"{ENVIRONMENT}/identities/{{identity_pk}}/traits/{{pk}}/": None,  # part of the identity's row
    f"{ENVIRONMENT}/user-permissions/{{pk}}/": "permissions.EnvironmentGrant",
    f"{ENVIRONMENT}/user-group-permissions/{{pk}}/": "permissions.EnvironmentGrant",
    f"{PROJECT}/user-permissions/{{pk}}/": "permissions.ProjectGrant",
    f"{PROJECT}/user-group-permissions/{{pk}}/": "permissions.ProjectGrant",
    f"{ORGANISATION}/user-permissions/{{pk}}/": "permissions.OrganisationGrant",
    f"{ORGANISATION}/user-group-permissions/{{pk}}/": "permissions.OrganisationGrant",
    f"{ORGANISATION}/roles/{{role_pk}}/environments-permissions/{{pk}}/": "permissions.EnvironmentGrant",
    f"{ORGANISATION}/roles/{{role_pk}}/projects-permissions/{{pk}}/": "permissions.ProjectGrant",
    f"{ORGANISATION}/roles/{{role_pk}}/organisation-permissions/{{pk}}/": "permissions.OrganisationGrant",
    f"{ORGANISATION}/roles/{{role_pk}}/users/{{pk}}/": "permissions.RoleAssignment",
    f"{ORGANISATION}/roles/{{role_pk}}/groups/{{pk}}/": "permissions.RoleAssignment",
    f"{ORGANISATION}/roles/{{role_pk}}/master-api-keys/{{pk}}/": "permissions.RoleAssignment",
    f"{ORGANISATION}/users/{{user_pk}}/roles/{{role_pk}}/": "permissions.RoleAssignment",
    f"{ORGANISATION}/groups/{{group_pk}}/roles/{{role_pk}}/": "permissions.RoleAssignment",
    f"{ORGANISATION}/master-api-keys/{{prefix}}/roles/{{role_pk}}/detach-roles-from-master-api-key/": (
        "permissions.RoleAssignment"
    ),
}
# The same as another one does, by another address.
SAME = {
    "/api/v1/auth/users/{user_id}/",
    "/api/v1/environments/environments/{environment_key}/edge-identities-featurestates",
    *(
        f"{BELOW[level]}/{kind.name}/{{pk}}/"
        for kind in KINDS.values()
        for level in kind.levels
        if kind.name != "webhook"
    ),
}


def table() -> str:
    """Return the table for people, as it stands in docs/deleting.md."""
    head = [
        "| Object | DELETE | The row itself | Goes with it | Stays, or is refused |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(deletion.row for deletion in DELETIONS)])
