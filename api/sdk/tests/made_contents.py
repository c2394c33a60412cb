"""Contents of environments made from an engine's contexts, without a database."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from documents.rows import Revision, RevisionName
from engine.documents import EvaluationContext, FeatureContext
from sdk.contents import Content, ServedSettings, encode
from sdk.overrides import EncodedOverrides, IdentityOverrides

ENVIRONMENT_ID = 7


def made_content(
    context: EvaluationContext,
    *,
    identity_overrides: Mapping[str, list[FeatureContext]],
    multivariate: frozenset[str] = frozenset(),
    server_only: frozenset[str] = frozenset(),
    hides_disabled_flags: bool = False,
    hides_sensitive_data: bool = False,
) -> Content:
    """Return a content with the context's features and segments.

    Args:
        identity_overrides: by identifier.
        multivariate: the names of the features of that type, whatever their states have.
    """
    features = context.get("features") or {}
    segments = context.get("segments") or {}
    ids = {name: number for number, name in enumerate(features, start=40)}
    numbers = count(300)
    states: dict[str, int] = {}

    def state(feature: FeatureContext) -> dict[str, Any]:
        state_id, state_uuid = next(numbers), str(uuid.UUID(int=next(numbers)))
        states[state_uuid] = state_id
        return _state(feature, ids[feature["name"]], state_uuid)

    def known(overrides: list[FeatureContext]) -> Iterator[FeatureContext]:
        """A document has no states of features that aren't there, and one for each of the others."""
        by_name = {each["name"]: each for each in overrides if each["name"] in ids}
        yield from by_name.values()

    document: Any = {
        "id": ENVIRONMENT_ID,
        "api_key": context["environment"]["key"],
        "name": context["environment"]["name"],
        "project": {
            "segments": [
                {
                    "id": int(key),
                    "name": segment["name"],
                    "rules": [_rule(rule) for rule in segment["rules"]],
                    "feature_states": [state(each) for each in known(list(segment.get("overrides") or ()))],
                }
                for key, segment in segments.items()
            ]
        },
        "feature_states": [state(feature) for feature in features.values()],
        "use_identity_overrides_in_local_eval": False,
        "identity_overrides": [],
    }
    of_identities = []
    for identity_id, (identifier, overrides) in enumerate(identity_overrides.items(), start=90):
        own = [state(each) for each in known(overrides)]
        own_ids = [states[each["featurestate_uuid"]] for each in own]
        identity = encode({"identifier": identifier, "identity_features": own})
        of_identities.append(EncodedOverrides(identity_id, identifier, [], own_ids, identity))
    return Content(
        revision=Revision(
            RevisionName(ENVIRONMENT_ID, 12, uuid.UUID(int=1)), datetime(2026, 1, 1, tzinfo=UTC), None
        ),
        project_id=3,
        document=document,
        document_body=encode(document),
        identity_overrides=IdentityOverrides.of(of_identities),
        state_ids=states,
        features=[
            {
                "id": ids[name],
                "name": name,
                "created_date": "2026-01-05T09:30:00.120000Z",
                "description": "ö\u2028\"'",
                "initial_value": None,
                "default_enabled": False,
                "type": "MULTIVARIATE" if name in multivariate else "STANDARD",
            }
            for name in features
        ],
        server_only=server_only,
        settings=ServedSettings(
            hides_disabled_flags=hides_disabled_flags,
            hides_sensitive_data=hides_sensitive_data,
            allows_client_traits=True,
            stores_traits=True,
            serves_flags=True,
            streams_changes=True,
        ),
        keys={context["environment"]["key"]: None},
    )


def _state(feature: FeatureContext, feature_id: int, state_uuid: str) -> dict[str, Any]:
    return {
        "feature": {"id": feature_id, "name": feature["name"]},
        "enabled": feature["enabled"],
        "feature_state_value": feature["value"],
        "django_id": feature["key"],
        "featurestate_uuid": state_uuid,
        "feature_segment": {"priority": feature.get("priority")},
        "multivariate_feature_state_values": [
            {
                "id": variant["priority"],
                "percentage_allocation": variant["weight"],
                "multivariate_feature_option": {"value": variant["value"], "key": variant.get("key")},
            }
            for variant in feature.get("variants") or ()
        ],
    }


def _rule(rule: Any) -> dict[str, Any]:
    return {
        "type": rule["type"],
        "conditions": [
            {"operator": each["operator"], "property_": each["property"], "value": each["value"]}
            for each in rule.get("conditions") or ()
        ],
        "rules": [_rule(nested) for nested in rule.get("rules") or ()],
    }
