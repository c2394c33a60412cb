"""What was read of another server, in one form, whichever way it was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from environments.services import EnvironmentFields
from features.models.values import FlagValue
from projects.services import ProjectFields, TagFields
from segments.rules import WantedCondition, WantedRule, conditions_of


@dataclass(frozen=True)
class OptionReading:
    source_id: int
    value: FlagValue
    key: str | None = None
    percentage: float = 0.0


@dataclass(frozen=True)
class FeatureReading:
    """A feature, apart from what it serves. `tags` are the source's ids."""

    source_id: int
    name: str
    options: Sequence[OptionReading] = ()
    description: str | None = None
    default_enabled: bool = False
    initial_value: str | None = None
    is_archived: bool = False
    is_server_key_only: bool = False
    tags: Sequence[int] = ()


@dataclass(frozen=True)
class SegmentReading:
    """A segment. What splits by percentage draws with the segment's id: so that one must stay."""

    source_id: int
    name: str
    rules: tuple[WantedRule, ...]
    description: str | None = None
    feature: int | None = None

    @property
    def splits(self) -> bool:
        return any(each.operator == "PERCENTAGE_SPLIT" for each in conditions_of(self.rules))


@dataclass(frozen=True)
class ShareReading:
    """A variant's share in a state. Bands lie in the order of the ids of the source's shares."""

    option: int
    percentage: float


@dataclass(frozen=True)
class StateReading:
    """What a feature serves somewhere.

    Attributes:
        feature: the source's id of the feature.
        seed: what variants are drawn with; None where the source draws with a text.
        shares: in the order of their bands.
        priority: of a segment's override.
    """

    feature: int
    enabled: bool
    value: FlagValue
    seed: int | None
    shares: Sequence[ShareReading] = ()
    priority: int | None = None

    @property
    def draws(self) -> bool:
        """Whether it depends on who asks which variant is served."""
        return any(0 < share.percentage < 100 for share in self.shares)


@dataclass(frozen=True)
class ServerKeyReading:
    key: str
    name: str
    active: bool = True
    expires_at: str | None = None

    def __repr__(self) -> str:
        return f"ServerKeyReading({self.name!r})"  # the key is a secret


@dataclass(frozen=True)
class EnvironmentReading:
    """An environment with what it serves.

    Attributes:
        defaults: a state for each feature.
        overrides: of segments, by the source's id of the segment.
        identities: overrides of identities by identifier, where they could be read together.
        keeps_traits: whether its organisation stores traits that SDKs send.
        is_edge: whether identities are in Flagsmith's edge store, which has routes of its own.
        number: how many identities there are; None where that isn't known.
    """

    api_key: str
    settings: EnvironmentFields
    defaults: Sequence[StateReading]
    overrides: Mapping[int, Sequence[StateReading]]
    identities: Mapping[str, Sequence[StateReading]]
    has_all_overrides: bool
    draws_with_keys: bool = True
    keeps_traits: bool = True
    uses_versions: bool = False
    is_edge: bool = False
    server_keys: Sequence[ServerKeyReading] = ()
    number: int | None = None

    @property
    def name(self) -> str:
        return self.settings["name"]

    @property
    def states(self) -> list[StateReading]:
        return [*self.defaults, *(state for states in self.overrides.values() for state in states)]


@dataclass(frozen=True)
class ProjectReading:
    source_id: int
    settings: ProjectFields
    features: Sequence[FeatureReading]
    segments: Sequence[SegmentReading]
    environments: Sequence[EnvironmentReading]
    tags: Mapping[int, TagFields] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.settings["name"]

    @property
    def keeps_traits(self) -> bool:
        return all(each.keeps_traits for each in self.environments)


@dataclass(frozen=True)
class IdentityReading:
    identifier: str
    traits: Mapping[str, Any]
    overrides: Sequence[StateReading]


def environment_of(
    document: Mapping[str, Any], *, settings: EnvironmentFields | None = None, **more: Any
) -> EnvironmentReading:
    """Return what an environment document says, with `settings` and what else only the API tells.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    told: EnvironmentFields = {
        "name": document["name"],
        "allow_client_traits": bool(document.get("allow_client_traits", True)),
        "hide_disabled_flags": document.get("hide_disabled_flags"),
        "hide_sensitive_data": bool(document.get("hide_sensitive_data", False)),
        "use_identity_overrides_in_local_eval": bool(
            document.get("use_identity_overrides_in_local_eval", True)
        ),
        "use_identity_composite_key_for_hashing": True,
    }
    return EnvironmentReading(
        api_key=document["api_key"],
        settings={**told, **(settings or {}), "use_identity_composite_key_for_hashing": True},
        defaults=[_state(each) for each in document["feature_states"]],
        overrides={
            int(segment["id"]): [_state(each) for each in segment["feature_states"]]
            for segment in document["project"]["segments"]
            if segment.get("feature_states")
        },
        identities={
            identity["identifier"]: [_state(each) for each in identity["identity_features"]]
            for identity in document.get("identity_overrides", [])
        },
        has_all_overrides=bool(document.get("use_identity_overrides_in_local_eval", True)),
        keeps_traits=document["project"].get("organisation", {}).get("persist_trait_data") is not False,
        draws_with_keys=document.get("use_identity_composite_key_for_hashing", True) is not False,
        **more,
    )


def rules_of(rules: Sequence[Mapping[str, Any]]) -> tuple[WantedRule, ...]:
    """Return a segment's rules, as the API or a document has them, however deep."""
    return tuple(
        WantedRule(
            type=rule["type"],
            conditions=tuple(
                WantedCondition(
                    operator=each["operator"],
                    property=each.get("property", each.get("property_")),
                    value=each.get("value"),
                    description=each.get("description"),
                )
                for each in rule.get("conditions", [])
            ),
            rules=rules_of(rule.get("rules", [])),
        )
        for rule in rules
    )


def _state(state: Mapping[str, Any]) -> StateReading:
    shares = sorted(state.get("multivariate_feature_state_values", []), key=_place_of_band)
    place = state.get("feature_segment")
    return StateReading(
        feature=int(state["feature"]["id"]),
        enabled=bool(state["enabled"]),
        value=flag_value(state.get("feature_state_value")),
        seed=state.get("django_id"),
        shares=[
            ShareReading(int(each["multivariate_feature_option"]["id"]), float(each["percentage_allocation"]))
            for each in shares
        ],
        priority=place.get("priority") if place else None,
    )


def flag_value(value: Any) -> FlagValue:
    """Return a value as it is kept: an integer beyond 32 bits, or a fraction, is a text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**31 else str(value)
    return str(value)


def _place_of_band(share: Mapping[str, Any]) -> int:
    """Return what SDKs order variants by: the id of the share, or its uuid taken for a number."""
    number = share.get("id")
    return int(number) if number is not None else int(str(share["mv_fs_value_uuid"]).replace("-", ""), 16)
