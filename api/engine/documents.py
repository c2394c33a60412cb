"""The shapes the engine reads and writes, named as on the wire.

Three of them: the environment document (what SDKs download to evaluate locally), the evaluation
context (what an engine evaluates) and the evaluation result (what it answers). Both follow the
published Flagsmith schemas; keys that are `NotRequired` may be absent or null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

# A feature's or a trait's value. Feature values are never floats, but variants of old data may be.
Value: TypeAlias = str | int | float | bool | None

# What identifies a trait's value on its way in. Containers are tolerated, and read as their text.
TraitValue: TypeAlias = object

RuleType: TypeAlias = Literal["ALL", "ANY", "NONE"]


# The environment document ------------------------------------------------------------------------


class FeatureDocument(TypedDict):
    id: int
    name: str
    type: NotRequired[str]


class VariantOptionDocument(TypedDict):
    value: Value
    id: NotRequired[int]
    key: NotRequired[str | None]


class VariantAllocationDocument(TypedDict):
    """One variant's share of one feature state: `{"id": 77, "percentage_allocation": 30.0, ...}`."""

    multivariate_feature_option: VariantOptionDocument
    percentage_allocation: float
    id: NotRequired[int | None]
    mv_fs_value_uuid: NotRequired[str]


class FeatureSegmentDocument(TypedDict):
    priority: int | None


class FeatureStateDocument(TypedDict):
    """What a feature serves, to all, to a segment or to one identity.

    `django_id` is the seed that identities are hashed with, not necessarily the row's own id.
    """

    feature: FeatureDocument
    enabled: bool
    feature_state_value: Value
    django_id: NotRequired[int | None]
    featurestate_uuid: NotRequired[str]
    feature_segment: NotRequired[FeatureSegmentDocument | None]
    multivariate_feature_state_values: NotRequired[Sequence[VariantAllocationDocument]]


class ConditionDocument(TypedDict):
    operator: str
    property_: str | None
    value: str | None


class RuleDocument(TypedDict):
    type: str
    conditions: NotRequired[Sequence[ConditionDocument]]
    rules: NotRequired[Sequence[RuleDocument]]


class SegmentDocument(TypedDict):
    id: int
    name: str
    rules: Sequence[RuleDocument]
    feature_states: NotRequired[Sequence[FeatureStateDocument]]


class OrganisationDocument(TypedDict):
    id: int
    name: str
    feature_analytics: bool
    stop_serving_flags: bool
    persist_trait_data: bool


class ProjectDocument(TypedDict):
    segments: Sequence[SegmentDocument]
    id: NotRequired[int]
    name: NotRequired[str]
    hide_disabled_flags: NotRequired[bool]
    enable_realtime_updates: NotRequired[bool]
    server_key_only_feature_ids: NotRequired[Sequence[int]]
    organisation: NotRequired[OrganisationDocument]


class IdentityDocument(TypedDict):
    """One identity's own overrides."""

    identifier: str
    identity_features: Sequence[FeatureStateDocument]
    identity_uuid: NotRequired[str]
    created_date: NotRequired[str]
    environment_api_key: NotRequired[str]
    composite_key: NotRequired[str]
    django_id: NotRequired[int | None]
    dashboard_alias: NotRequired[str | None]
    identity_traits: NotRequired[Sequence[Mapping[str, object]]]


class EnvironmentDocument(TypedDict):
    """All that an SDK needs to evaluate locally. `api_key` is the client key."""

    api_key: str
    name: str
    feature_states: Sequence[FeatureStateDocument]
    project: ProjectDocument
    id: NotRequired[int]
    updated_at: NotRequired[str]
    allow_client_traits: NotRequired[bool]
    hide_sensitive_data: NotRequired[bool]
    hide_disabled_flags: NotRequired[bool | None]
    use_identity_composite_key_for_hashing: NotRequired[bool]
    use_identity_overrides_in_local_eval: NotRequired[bool]
    identity_overrides: NotRequired[Sequence[IdentityDocument]]


# The evaluation context --------------------------------------------------------------------------


class EnvironmentContext(TypedDict):
    key: str
    name: str


class IdentityContext(TypedDict):
    identifier: str
    key: NotRequired[str | None]
    traits: NotRequired[Mapping[str, TraitValue] | None]


class VariantContext(TypedDict):
    """`weight` is a percentage; variants share 0 to 100 in ascending `priority`."""

    value: Value
    weight: float
    priority: int
    key: NotRequired[str | None]


class FeatureContext(TypedDict):
    """A feature state: an environment's default, or an override. `key` seeds the hash."""

    key: str
    name: str
    enabled: bool
    value: Value
    variants: NotRequired[Sequence[VariantContext] | None]
    priority: NotRequired[float | None]
    metadata: NotRequired[Mapping[str, Any] | None]


class ConditionContext(TypedDict):
    """`value` is text; for IN it may be a list as well."""

    operator: str
    property: str | None
    value: str | Sequence[object] | None


class RuleContext(TypedDict):
    type: str
    conditions: NotRequired[Sequence[ConditionContext] | None]
    rules: NotRequired[Sequence[RuleContext] | None]


class SegmentContext(TypedDict):
    key: str
    name: str
    rules: Sequence[RuleContext]
    overrides: NotRequired[Sequence[FeatureContext] | None]
    metadata: NotRequired[Mapping[str, Any] | None]


class EvaluationContext(TypedDict):
    environment: EnvironmentContext
    identity: NotRequired[IdentityContext | None]
    features: NotRequired[Mapping[str, FeatureContext] | None]
    segments: NotRequired[Mapping[str, SegmentContext] | None]


# The evaluation result ---------------------------------------------------------------------------


class FlagResult(TypedDict):
    name: str
    enabled: bool
    value: Value
    reason: str
    variant: str | None
    metadata: NotRequired[Mapping[str, Any]]


class SegmentResult(TypedDict):
    name: str
    metadata: NotRequired[Mapping[str, Any]]


class EvaluationResult(TypedDict):
    flags: dict[str, FlagResult]
    segments: list[SegmentResult]
