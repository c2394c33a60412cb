"""The calls, section by section, in the order in which somebody's first day with a dashboard makes them.

What later calls need of earlier answers they take from `Known`, by the names in `saves`.
"""

import json
from typing import Any

from app.tests.dashboard.client import (
    Body,
    Call,
    Known,
    Shape,
    act,
    bare,
    delete,
    get,
    pages,
    post,
    put,
    results,
)

EMAIL, PASSWORD, NEW_PASSWORD = "ada@example.com", "0123-quagga-JUMPS", "4567-quagga-SLEEPS"


USER = ("id", "email", "first_name", "last_name")
PROJECT = (
    "id", "uuid", "name", "organisation", "hide_disabled_flags", "use_edge_identities",
    "prevent_flag_defaults", "enable_realtime_updates", "only_allow_lower_case_feature_names",
    "feature_name_regex", "stale_flags_limit_days", "minimum_change_request_approvals",
    "enforce_feature_owners",
)  # fmt: skip
ENVIRONMENT = (
    "id", "uuid", "name", "api_key", "description", "project", "minimum_change_request_approvals",
    "allow_client_traits", "banner_text", "banner_colour", "hide_disabled_flags", "hide_sensitive_data",
    "use_identity_composite_key_for_hashing", "use_v2_feature_versioning",
    "use_identity_overrides_in_local_eval", "is_creating", "metadata",
)  # fmt: skip
FEATURE = (
    "id", "uuid", "name", "type", "default_enabled", "initial_value", "created_date", "description", "tags",
    "multivariate_options", "is_archived", "owners", "group_owners", "is_server_key_only", "metadata",
)  # fmt: skip
LISTED_FEATURE = (
    *FEATURE, "environment_feature_state.id", "environment_feature_state.enabled",
    "environment_feature_state.feature_state_value", "num_segment_overrides", "num_identity_overrides",
)  # fmt: skip
STATE = ("id", "uuid", "feature", "environment", "feature_segment", "enabled", "feature_state_value")
RAW_STATE = (*STATE, "identity", "multivariate_feature_state_values")
OVERRIDE = ("id", "uuid", "feature_segment.id", "feature_segment.priority", "created_at", "updated_at")
SEGMENT = ("id", "uuid", "name", "description", "project", "feature", "rules", "metadata", "version_of")
PERMISSIONS = ("permissions", "admin", "tag_based_permissions")
INVITE_LINK = ("id", "hash", "role", "expires_at")
ROW = ("id", "permissions", "admin")
WEBHOOK = ("id", "url", "enabled", "secret")

O = "organisations/{organisation[id]}/"  # noqa: E741
P = "projects/{project[id]}/"
E = "environments/{environment[api_key]}/"
F = f"{P}features/{{feature[id]}}/"
IDENTITY = f"{E}identities/{{identity[id]}}/"


def always(body: Any) -> Body:
    return lambda known: body


def whole(name: str, **changes: Any) -> Body:
    """Send back what was answered, all of it, with some changes."""
    return lambda known: {**known[name], **changes}


START_UP = [
    Call("GET", "/config/project-overrides", Shape.NOTHING),
    get(
        "/version/", "is_saas", "is_enterprise", "has_email_provider", "self_hosted_data.has_users",
        "image_tag", "ci_commit_sha",
    ),
]  # fmt: skip

SIGN_UP = [
    post(
        "auth/users/",
        always(
            {
                "email": EMAIL,
                "password": PASSWORD,
                "first_name": "Ada",
                "last_name": "Byron",
                "sign_up_type": "NO_INVITE",
                "invite_hash": None,
                "referrer": "",
                "hubspotutk": "x",
                "utm_data": {"utm_source": "y"},
                "superuser": False,
                "marketing_consent_given": False,
            }
        ),
        "key",
    ).saved_as("account"),
]

FIRST_ORGANISATION = [
    post("organisations/", always({"name": "Acme"}), "id", "name").saved_as("organisation"),
    act("onboarding/request/send/").or_missing(),
]

SIGN_IN = [
    post("auth/login/", always({"email": EMAIL, "password": PASSWORD}), "key").saved_as("account"),
    pages("organisations/", "id", "name", "uuid", "role", "num_seats", "subscription.plan").saved_as(
        "organisation"
    ),
    get("auth/users/me/", *USER).saved_as("me"),
    bare("auth/mfa/user-active-methods/").or_empty(),
]

ORGANISATION = [
    bare("projects/?organisation={organisation[id]}").or_empty(),
    bare(f"{O}users/", "id", "email", "first_name", "last_name", "role"),
    pages(f"{O}invites/").or_empty(),
    get(f"{O}get-subscription-metadata/", "max_seats", "max_api_calls", "max_projects"),
    bare(f"{O}invite-links/").or_empty(),
    post(f"{O}invite-links/", always({"role": "ADMIN"}), *INVITE_LINK),
    post(f"{O}invite-links/", always({"role": "USER"}), *INVITE_LINK),
    bare(f"{O}invite-links/", *INVITE_LINK).saved_as("invite_link"),
    get(f"{O}my-permissions/", *PERMISSIONS),
    pages(f"{O}groups/").or_empty(),
    pages(f"{O}api-usage-notification/").or_empty().or_missing(),
    post(
        "projects/",
        lambda known: {"name": "Web shop", "organisation": known["organisation"]["id"]},
        *PROJECT,
    )
    .saved_as("project"),
    post(
        "environments/",
        lambda known: {"name": "Development", "project": known["project"]["id"]},
        *ENVIRONMENT,
    )
    .saved_as("environment"),
    post(
        "environments/",
        lambda known: {"name": "Production", "project": known["project"]["id"]},
        *ENVIRONMENT,
    )
    .saved_as("production"),
    post(
        f"{E}identities/",
        lambda known: {"environment": known["environment"]["id"], "identifier": "development_user_123456"},
        "id", "identifier", "environment",
    ),
    post(
        "environments/{production[api_key]}/identities/",
        lambda known: {"environment": known["production"]["id"], "identifier": "production_user_123456"},
        "id",
    ),
    bare("projects/?organisation={organisation[id]}", *PROJECT).saved_as("project"),
    pages("environments/?project={project[id]}", *ENVIRONMENT),
    post(
        f"{E}clone/",
        always({"name": "Staging", "description": "", "metadata": []}),
        "id", "name", "api_key", "project",
    )
    .saved_as("copy"),
    put(
        "environments/{copy[api_key]}/",
        lambda known: {
            "name": "Staging", "project": known["project"]["id"], "description": "For tests", "metadata": [],
        },
        *ENVIRONMENT,
    ),
    post(
        "environments/{copy[api_key]}/identities/",
        lambda known: {"environment": known["copy"]["api_key"], "identifier": "staging_user_123456"},
        "id",
    ),
]  # fmt: skip

OPEN_PROJECT = [
    get(P, *PROJECT, "total_features", "total_segments", "max_features_allowed").saved_as("project"),
    pages("environments/?project={project[id]}", *ENVIRONMENT).saved_as("environment"),
    get(f"{P}my-permissions/", *PERMISSIONS),
    get(f"{E}my-permissions/", *PERMISSIONS),
    get(f"{O}my-permissions/", *PERMISSIONS),
]

FEATURES = (
    "features/?environment={environment[id]}&page=1&page_size=50&sort_field=&sort_direction=&search=&tags="
    "&tag_strategy=&is_archived=false&is_enabled=&value_search=&owners=&group_owners="
)


def variation(value: str) -> Body:
    return lambda known: {
        "feature": known["feature"]["id"],
        "type": "unicode",
        "string_value": value,
        "default_percentage_allocation": 20,
    }


CREATE_A_FLAG = [
    post(
        f"{P}features/",
        always(
            {
                "name": "checkout",
                "initial_value": "10",
                "default_enabled": False,
                "type": "MULTIVARIATE",
                "description": "",
                "tags": [],
                "is_archived": False,
                "multivariate_options": [],
                "metadata": [],
                "is_server_key_only": False,
                "environment_flags": [],
            }
        ),
        *FEATURE,
    ).saved_as("feature"),
    *(
        post(f"{F}mv-options/", variation(value), "id", "uuid", "string_value", "key").saved_as("option")
        for value in ("red", "blue")
    ),
    get(F, *FEATURE).saved_as("feature"),
    post(f"{P}features/", always({"name": "banner", "initial_value": "hello", "default_enabled": True}), "id")
    .saved_as("other_feature"),
]  # fmt: skip

FEATURES_PAGE = [
    *CREATE_A_FLAG,
    pages(f"{P}{FEATURES}", *LISTED_FEATURE).saved_as("listed"),
    pages(f"{P}features/?environment={{environment[id]}}&page_size=1", *LISTED_FEATURE),
    post(
        f"{P}tags/",
        always({"label": "Beta", "color": "#112233"}),
        "id", "label", "color", "type",
    ).saved_as("tag"),
    pages(f"{P}tags/", "id", "label", "color", "description", "is_permanent", "is_system_tag", "type"),
    get(f"{E}metrics/", "metrics").or_missing(),
    bare(f"{P}feature-health/events/").or_empty().or_missing(),
    bare(f"{O}groups/summaries/").or_empty(),
    bare(f"{O}users/", "id", "email"),
    get(
        "environments/{environment[id]}/feature-lifecycle-counts/",
        "new", "live", "stale", "permanent", "needs_monitoring", "to_remove",
    ).or_missing(),
    pages(f"{E}list-change-requests/?committed=false&page_size=1").or_empty(),
    pages(f"{E}list-change-requests/?live_from_after=2026-01-01T00:00:00Z&page_size=1").or_empty(),
    pages(f"{P}release-pipelines/").or_empty().not_yet("release pipelines"),
    pages(f"{E}featurestates/?feature={{feature[id]}}", *RAW_STATE).saved_as("state"),
    put(
        f"{E}featurestates/{{state[id]}}/",
        lambda known: {
            **known["listed"]["environment_feature_state"],
            **{name: known["state"][name] for name in ("id", "environment", "feature")},
            "identity": None,
            "feature_segment": None,
            "enabled": True,
        },
        *RAW_STATE,
    ),
]  # fmt: skip

CONDITION = {"operator": "EQUAL", "property": "country", "value": "FR", "description": ""}
RULES = [
    {"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "rules": [], "conditions": [CONDITION]}]}
]


def override_of(segment: str) -> Body:
    return lambda known: {
        "enabled": True,
        "feature_state_value": {"type": "unicode", "string_value": "for some"},
        "feature_segment": {"segment": known[segment]["id"], "priority": None},
        "multivariate_feature_state_values": [
            {"multivariate_feature_option": known["option"]["id"], "percentage_allocation": 100}
        ],
        "environment": known["environment"]["id"],
        "feature": known["feature"]["id"],
    }


def segment_named(name: str) -> Body:
    return always(
        {"name": name, "description": "", "feature": None, "project": 0, "rules": RULES, "metadata": []}
    )


FEATURE_SEGMENTS = "features/feature-segments/"
FLAG_EDITOR = [
    get(F, *FEATURE).saved_as("feature"),
    pages("features/featurestates/?environment={environment[id]}&feature={feature[id]}", *STATE),
    pages(f"{FEATURE_SEGMENTS}?environment={{environment[id]}}&feature={{feature[id]}}").or_empty(),
    pages(f"{P}segments/?page_size=1000").or_empty(),
    pages(f"{E}featurestates/?anyIdentity=1&feature={{feature[id]}}&page=1").or_empty(),
    bare(f"{F}evaluation-data/?period=30&environment_id={{environment[id]}}", "day", "count").or_empty(),
    results(f"{F}feature-external-resources/").or_empty().or_missing(),
    bare(f"{O}integrations/github/").or_missing(),
    bare(f"{P}integrations/gitlab/").or_missing(),
    bare(f"{F}code-references/").or_empty().or_missing(),
    bare(f"{O}metadata-model-fields/supported-content-types/", "id", "model"),
    pages(f"{P}metadata/fields/?include_organisation=true&entity=feature").or_empty(),
    pages(f"{E}list-change-requests/?feature_id={{feature[id]}}").or_empty(),
    # Settings, owners, variations
    put(F, lambda known: {**known["feature"], "description": "New", "tags": [known["tag"]["id"]]}, *FEATURE),
    post(f"{F}remove-owners/", lambda known: {"user_ids": [known["me"]["id"]]}, "id", "owners"),
    post(f"{F}add-owners/", lambda known: {"user_ids": [known["me"]["id"]]}, "id", "owners", "group_owners"),
    post(
        f"{O}groups/",
        always({"name": "Payments", "is_default": False}),
        "id", "name", "users",
    ).saved_as("group"),
    post(f"{F}add-group-owners/", lambda known: {"group_ids": [known["group"]["id"]]}, "id", "group_owners"),
    post(
        f"{F}remove-group-owners/",
        lambda known: {"group_ids": [known["group"]["id"]]},
        "id", "group_owners",
    ),
    get(F, *FEATURE).saved_as("feature"),
    put(
        f"{F}mv-options/{{option[id]}}/",
        lambda known: {
            **known["option"],
            "feature": known["feature"]["id"],
            "string_value": "green",
            "default_percentage_allocation": 0,
        },
        "id", "string_value",
    ),
    # The value: read, then written
    get(f"{E}featurestates/{{state[id]}}/", *RAW_STATE).saved_as("state"),
    put(
        f"{E}featurestates/{{state[id]}}/",
        lambda known: {**known["state"], "feature_state_value": None},
        *RAW_STATE,
    ),
    # Segment overrides: removed ones, new ones, the order, those that are there
    post(f"{P}segments/", segment_named("France"), *SEGMENT).saved_as("segment"),
    post(f"{P}segments/", segment_named("Belgium"), *SEGMENT).saved_as("other_segment"),
    post(f"{E}features/{{feature[id]}}/create-segment-override/", override_of("segment"), *OVERRIDE)
    .saved_as("override"),
    post(f"{E}features/{{feature[id]}}/create-segment-override/", override_of("other_segment"), *OVERRIDE)
    .saved_as("other_override"),
    get(f"{FEATURE_SEGMENTS}{{override[feature_segment][id]}}/", "id", "segment", "priority", "segment_name"),
    Call(
        "POST",
        f"{FEATURE_SEGMENTS}update-priorities/",
        Shape.BARE,
        ("id", "segment", "priority"),
        lambda known: [
            {"id": known["other_override"]["feature_segment"]["id"], "priority": 0},
            {"id": known["override"]["feature_segment"]["id"], "priority": 1},
        ],
    ),
    put(
        "features/featurestates/{override[id]}/",
        lambda known: {
            **known["override"],
            "feature_segment": known["override"]["feature_segment"]["id"],
            "enabled": False,
        },
        *STATE,
    ),
    pages(
        f"{FEATURE_SEGMENTS}?environment={{environment[id]}}&feature={{feature[id]}}",
        "id", "uuid", "segment", "priority", "environment", "segment_name", "is_feature_specific",
    ),
    delete(
        f"{FEATURE_SEGMENTS}{{other_override[feature_segment][id]}}/",
        lambda known: known["other_override"],
    ),
    # Identity overrides, and the screens that compare
    pages(f"{E}identities/?q=&page_size=10&page=1", "id", "identifier", "environment").saved_as("identity"),
    post(
        f"{IDENTITY}featurestates/",
        lambda known: {"feature": known["feature"]["id"], "enabled": True, "feature_state_value": "mine"},
        *RAW_STATE,
    ).saved_as("identity_override"),
    pages(
        f"{E}featurestates/?anyIdentity=1&feature={{feature[id]}}&page=1",
        *RAW_STATE, "identity.id", "identity.identifier",
    ),
    put(
        f"{IDENTITY}featurestates/{{identity_override[id]}}/",
        lambda known: {**known["identity_override"], "enabled": False},
        *RAW_STATE,
    ),
    delete(f"{IDENTITY}featurestates/{{identity_override[id]}}/", always({})),
    pages(f"{E}featurestates/?feature={{feature[id]}}", *RAW_STATE),
    pages(f"{E}featurestates/?page_size=999", *RAW_STATE),
    post(
        f"{E}create-change-request/",
        always({"title": "x"}),
        "id",
    ).saved_as("request"),
    act("features/workflows/change-requests/{request[id]}/commit/"),
]  # fmt: skip

VERSIONED = [
    act("environments/{production[api_key]}/enable-v2-versioning/"),
    pages("features/featurestates/?environment={production[id]}&feature={feature[id]}", *STATE)
    .saved_as("versioned_state"),
    pages(f"{P}segments/?include_feature_specific=true&page_size=1000", *SEGMENT),
    post(
        "environments/{production[id]}/features/{feature[id]}/versions/",
        lambda known: {
            "environmentId": known["production"]["id"],
            "featureId": known["feature"]["id"],
            "feature_states_to_create": [
                {
                    "enabled": True,
                    "feature_state_value": {"type": "unicode", "string_value": "for some"},
                    "feature_segment": {"segment": known["segment"]["id"], "priority": 0},
                    "multivariate_feature_state_values": [],
                }
            ],
            "feature_states_to_update": [{**known["versioned_state"], "enabled": True}],
            "segment_ids_to_delete_overrides": [],
            "publish_immediately": True,
        },
        "uuid", "published", "is_live", "live_from", "created_at",
    ).saved_as("version"),
    bare(
        "environments/{production[id]}/features/{feature[id]}/versions/{version[uuid]}/featurestates/",
        "id", "feature_state_value", "enabled", "feature_segment",
    ),
    pages(
        "environments/{production[id]}/features/{feature[id]}/versions/?page_size=10",
        "uuid", "published", "is_live", "live_from", "published_by", "created_by", "description",
    ),
    get("environment-feature-versions/{version[uuid]}/", "previous_version_uuid", "feature", "environment"),
]  # fmt: skip

TRAIT = ("id", "trait_key", "value_type", "string_value", "integer_value", "boolean_value", "float_value")
IDENTITIES = [
    pages(f"{E}identities/?q=&page_size=10&page=1", "id", "identifier"),
    post(
        f"{E}identities/",
        lambda known: {"environment": known["environment"]["id"], "identifier": "kim@example.org"},
        "id", "identifier", "environment",
    ).saved_as("kim"),
    get(IDENTITY, "id", "identifier"),
    pages(f"{IDENTITY}featurestates/").or_empty(),
    post(
        f"{IDENTITY}traits/",
        lambda known: {
            "trait_key": "country", "value_type": "unicode", "string_value": "FR", "integer_value": None,
            "boolean_value": None, "float_value": None, "identity": known["identity"],
        },
        *TRAIT,
    ).saved_as("trait"),
    pages(f"{IDENTITY}traits/", *TRAIT),
    put(f"{IDENTITY}traits/{{trait[id]}}/", whole("trait", string_value="BE"), *TRAIT),
    put(f"{IDENTITY}traits/{{trait[id]}}/", whole("trait", string_value="FR"), *TRAIT),
    post(
        f"{IDENTITY}featurestates/",
        lambda known: {
            "feature": known["other_feature"]["id"], "enabled": True, "feature_state_value": "mine",
        },
        *RAW_STATE,
    ).saved_as("identity_override"),
    bare(
        f"{IDENTITY}featurestates/all/",
        "feature.id", "feature.name", "feature.type", "enabled", "feature_state_value", "overridden_by",
        "segment", "multivariate_feature_state_values",
    ),
    pages(f"{P}segments/?identity={{identity[id]}}&page=1&page_size=10&q=", *SEGMENT),
    pages(
        f"{P}features/?environment={{environment[id]}}&identity={{identity[id]}}&page=1&page_size=50",
        *LISTED_FEATURE,
    ),
    pages(f"{P}tags/", "id", "label"),
    Call(
        "POST",
        f"{E}identities/{{kim[id]}}/featurestates/clone-from-given-identity/",
        Shape.BARE,
        ("feature.id", "enabled", "overridden_by"),
        lambda known: {"source_identity_id": known["identity"]["id"]},
    ),
    delete(f"{IDENTITY}traits/{{trait[id]}}/", always({})),
    delete(f"{E}identities/{{kim[id]}}/", whole("kim")),
]  # fmt: skip


def with_the_old_rules_marked(known: Known) -> dict[str, Any]:
    """As it is sent when all rules were replaced: the old ones with their ids, to be deleted."""
    segment = known["segment"]
    return {**segment, "rules": [{**rule, "delete": True} for rule in segment["rules"]] + RULES}


SEGMENTS = [
    pages(f"{P}segments/?q=&page=1&page_size=100&include_feature_specific=false", *SEGMENT),
    get(f"{P}segments/{{segment[id]}}/", *SEGMENT).saved_as("segment"),
    pages(
        f"{P}features/?segment={{segment[id]}}&environment={{environment[id]}}&page=1&page_size=50",
        *LISTED_FEATURE, "segment_feature_state",
    ),
    pages(f"{E}identities/?q=&page_size=10&page=1", "id", "identifier"),
    pages(f"{P}segments/?identity={{identity[id]}}").or_empty(),
    get(f"{P}segments/{{segment[id]}}/members/?environment={{environment[id]}}").or_missing(),
    put(f"{P}segments/{{segment[id]}}/", whole("segment", description="Everybody there"), *SEGMENT),
    put(f"{P}segments/{{segment[id]}}/", with_the_old_rules_marked, *SEGMENT),
    pages(f"{P}segments/{{segment[id]}}/associated-features/", "id", "feature", "environment"),
    post(
        f"{P}segments/{{segment[id]}}/clone/",
        always({"name": "Copy"}),
        "id", "name",
    ).saved_as("segment_copy"),
    delete(f"{P}segments/{{segment_copy[id]}}/", whole("segment_copy")),
    pages(f"{P}metadata/fields/?include_organisation=true&entity=segment").or_empty(),
    post(f"{P}change-requests/", always({"title": "x"})),
]  # fmt: skip

AUDIT = [
    pages(
        f"{P}audit/?environments={{environment[id]}}&search=&page=1&page_size=10",
        "id", "created_date", "log", "author", "environment", "project", "related_object_id",
        "related_object_type", "is_system_event",
    ).saved_as("audit_row"),
    get(f"{O}get-subscription-metadata/", "max_seats"),
    get(f"{P}audit/{{audit_row[id]}}/", "id", "log", "change_type", "change_details"),
]  # fmt: skip

ORGANISATION_SETTINGS = [
    put(
        O,
        lambda known: {
            **known["organisation"], "name": "Acme Ltd", "force_2fa": False,
            "restrict_project_create_to_admin": False, "webhook_notification_email": "ops@example.org",
        },
        "id", "name", "force_2fa", "restrict_project_create_to_admin", "webhook_notification_email",
    ),
    bare(f"{O}users/", "id", "role"),
    act(f"{O}users/{{me[id]}}/update-role/", always({"role": "ADMIN"})),
    act(
        f"{O}invite/",
        always({"invites": [{"email": "kim@example.org", "role": "USER"}], "frontend_base_url": "/"}),
    ),
    pages(f"{O}invites/", "id", "email", "date_created", "invited_by").saved_as("invite"),
    act(f"{O}invites/{{invite[id]}}/resend/"),
    delete(f"{O}invites/{{invite[id]}}/", always({})),
    delete(f"{O}invite-links/{{invite_link[id]}}/", always({})),
    post(f"{O}invite-links/", always({"role": "USER"}), *INVITE_LINK).saved_as("invite_link"),
    pages(f"{O}groups/?page=1", "id", "name", "users", "is_default", "external_id"),
    act(f"{O}groups/{{group[id]}}/add-users/", lambda known: {"user_ids": [known["me"]["id"]]}),
    put(
        f"{O}groups/{{group[id]}}/",
        lambda known: {**known["group"], "name": "Payments and more"},
        "id", "name",
    ),
    act(f"{O}groups/{{group[id]}}/users/{{me[id]}}/make-admin"),
    act(f"{O}groups/{{group[id]}}/users/{{me[id]}}/remove-admin"),
    act(f"{O}groups/{{group[id]}}/remove-users/", lambda known: {"user_ids": [known["me"]["id"]]}),
    pages(f"{O}roles/").or_empty(),
    bare("organisations/permissions/", "key", "description", "supports_tag"),
    bare("projects/permissions/", "key", "description", "supports_tag"),
    bare("environments/permissions/", "key", "description", "supports_tag"),
    bare(f"{O}user-permissions/").or_empty(),
    bare(f"{O}user-group-permissions/").or_empty(),
    post(
        f"{O}user-group-permissions/",
        lambda known: {"group": known["group"]["id"], "permissions": ["CREATE_PROJECT"], "admin": False},
        "id", "permissions",
    ),
    get(
        f"{O}user-detailed-permissions/{{me[id]}}/",
        "admin", "is_directly_granted", "derived_from", "permissions",
    ),
    post(
        f"{O}master-api-keys/",
        always({"name": "Terraform", "is_admin": True}),
        "id", "prefix", "key", "name",
    )
    .saved_as("master_key"),
    pages(f"{O}master-api-keys/", "id", "prefix", "name", "created", "revoked", "expiry_date"),
    delete(f"{O}master-api-keys/{{master_key[prefix]}}/", always({})),
    post(
        f"{O}webhooks/",
        always({"url": "https://93.184.215.14/hook", "enabled": True, "secret": ""}),
        *WEBHOOK,
    )
    .saved_as("webhook"),
    pages(f"{O}webhooks/", *WEBHOOK),
    put(f"{O}webhooks/{{webhook[id]}}/", whole("webhook", enabled=False), *WEBHOOK),
    act(
        "webhooks/test/",
        lambda known: {
            "webhook_url": "http://127.0.0.1/hook", "secret": "",
            "scope": {"type": "organisation", "id": known["organisation"]["id"]},
        },
    ).answered(400),
    delete(f"{O}webhooks/{{webhook[id]}}/", always({})),
    bare(f"{O}usage-data/?period=&project_id=&environment_id=").or_empty(),
    post(
        "metadata/fields/",
        lambda known: {"name": "Team", "type": "str", "organisation": known["organisation"]["id"]},
        "id", "name", "type", "organisation",
    ).saved_as("field"),
    pages("metadata/fields/?organisation={organisation[id]}", "id", "name", "type", "model_fields"),
    bare(f"{O}metadata-model-fields/supported-content-types/", "id", "app_label", "model").saved_as("entity"),
    bare(f"{O}metadata-model-fields/supported-required-for-models/?model_name=environment", "id", "model"),
    post(
        f"{O}metadata-model-fields/",
        lambda known: {
            "field": known["field"]["id"], "content_type": known["entity"]["id"], "is_required_for": [],
        },
        "id", "field", "content_type", "is_required_for",
    ),
    put("metadata/fields/{field[id]}/", whole("field", description="Who cares for it"), "id", "description"),
    delete("metadata/fields/{field[id]}/", always({})),
]  # fmt: skip

PROJECT_AND_ENVIRONMENT_SETTINGS = [
    get(P, *PROJECT).saved_as("project"),
    put(P, whole("project", stale_flags_limit_days=60), *PROJECT),
    bare(f"{P}user-permissions/", *ROW, "user.id").saved_as("row"),
    put(
        f"{P}user-permissions/{{row[id]}}/",
        lambda known: {**known["row"], "user": known["me"]["id"]},
        *ROW, "user",
    ),
    bare(f"{P}user-group-permissions/").or_empty(),
    post(
        f"{P}user-group-permissions/",
        lambda known: {"group": known["group"]["id"], "permissions": ["VIEW_PROJECT"], "admin": False},
        *ROW, "group",
    ),
    get(f"{P}user-detailed-permissions/{{me[id]}}/", "admin", "permissions"),
    put(f"{P}tags/{{tag[id]}}/", whole("tag", label="Gamma"), "id", "label"),
    delete(f"{P}tags/{{tag[id]}}/", whole("tag")),
    post(
        "features/create-feature-export/",
        lambda known: {"environment_id": known["environment"]["id"], "tag_ids": []},
        "id", "status", "environment_id", "created_at", "name",
    ).saved_as("export"),
    pages(f"{P}feature-exports/", "id", "name", "status"),
    Call(
        "POST",
        "features/feature-import/{environment[id]}",
        form=lambda known: {
            "files": {"file": ("features.json", json.dumps([]), "application/json")},
            "data": {"strategy": "SKIP"},
        },
        fields=("id", "status", "strategy"),
    ),
    pages(f"{P}feature-imports/", "id", "status"),
    bare(f"{P}imports/launch-darkly/").or_missing(),
    bare(f"{P}feature-health/providers/").or_empty().or_missing(),
    get(E, *ENVIRONMENT, "total_segment_overrides").saved_as("environment"),
    put(E, whole("environment", banner_text="Careful", banner_colour="#ff0000"), *ENVIRONMENT),
    post(f"{E}api-keys/", always({"name": "server", "expires_at": None}), "id", "key", "name", "active")
    .saved_as("server_key"),
    bare(f"{E}api-keys/", "id", "key", "name", "active", "expires_at"),
    delete(f"{E}api-keys/{{server_key[id]}}/", whole("server_key")),
    post(
        f"{E}webhooks/",
        always({"url": "https://93.184.215.14/hook", "enabled": True, "secret": "s"}),
        *WEBHOOK,
    )
    .saved_as("environment_webhook"),
    bare(f"{E}webhooks/", *WEBHOOK),
    put(f"{E}webhooks/{{environment_webhook[id]}}/", whole("environment_webhook", enabled=False), *WEBHOOK),
    delete(f"{E}webhooks/{{environment_webhook[id]}}/", always({})),
    bare(f"{E}user-permissions/", *ROW, "user.id"),
    bare(f"{E}user-group-permissions/").or_empty(),
    get(f"{E}user-detailed-permissions/{{me[id]}}/", "admin", "permissions"),
    *(
        bare(f"{P}integrations/{name}/").or_empty().or_missing()
        for name in ("datadog", "new-relic", "grafana", "slack", "sentry")
    ),
    *(
        bare(f"{E}integrations/{name}/").or_empty().or_missing()
        for name in ("amplitude", "segment", "heap", "mixpanel", "rudderstack", "webhook", "dynatrace")
    ),
    # Nobody has let it into a workspace: the dashboard shows none.
    Call("GET", f"{E}integrations/slack-channels?limit=1000", Shape.NOTHING).answered(400),
    delete(F, always({})),
    pages(f"{P}{FEATURES}", *LISTED_FEATURE),
    delete("environments/{copy[api_key]}/", always({})),
]  # fmt: skip

ACCOUNT = [
    put(
        "auth/users/me/", lambda known: {**known["me"], "first_name": "Augusta"}, "id", "email", "first_name"
    ),
    act(
        "auth/users/set_password/",
        always({"current_password": PASSWORD, "new_password": NEW_PASSWORD, "re_new_password": NEW_PASSWORD}),
    ),
]

# Changing a password signs out everywhere, so the dashboard signs in again.
AFTER_SIGNING_IN_AGAIN = [
    post("auth/login/", always({"email": EMAIL, "password": NEW_PASSWORD}), "key").saved_as("account"),
    act(
        "auth/users/set_email/",
        always({"current_password": NEW_PASSWORD, "new_email": EMAIL, "re_new_email": EMAIL}),
    ),
    Call(
        "PATCH", "auth/users/me/onboarding/", Shape.NOTHING, body=always({"tasks": [{"name": "create_flag"}]})
    ),
    Call("POST", "auth/app/activate/", Shape.OBJECT, ("secret",), always({})),
    act("auth/app/activate/confirm/", always({"code": "000000"})).answered(400),
    Call("POST", "auth/users/reset_password/", Shape.NOTHING, (), always({"email": "nobody@example.org"})),
    delete(P, whole("project")),
    delete("auth/token/"),
]

# What is asked without anybody signed in, by a new account, and by one that signs in.
SECTIONS: dict[str, list[Call]] = {
    "starting up": START_UP,
    "signing up": SIGN_UP,
    "the first organisation": FIRST_ORGANISATION,
    "signing in": SIGN_IN,
    "the organisation, and its first project": ORGANISATION,
    "opening a project": OPEN_PROJECT,
    "the page of features": FEATURES_PAGE,
    "the editor of a flag": FLAG_EDITOR,
    "flags whose versions are kept": VERSIONED,
    "identities": IDENTITIES,
    "segments": SEGMENTS,
    "the audit log": AUDIT,
    "settings of the organisation": ORGANISATION_SETTINGS,
    "settings of project and environment": PROJECT_AND_ENVIRONMENT_SETTINGS,
    "the account": ACCOUNT,
    "the account, signed in again": AFTER_SIGNING_IN_AGAIN,
}
