"""Features to files."""

import json
from collections.abc import Iterable
from typing import Any

from features.models import FeatureState


def write_features(states: Iterable[FeatureState]) -> str:
    """Return the file of features that have these default states, with feature and options loaded."""
    return json.dumps([_feature(state) for state in states], ensure_ascii=False)


def _feature(state: FeatureState) -> dict[str, Any]:
    feature = state.feature
    return {
        "name": feature.name,
        "default_enabled": feature.default_enabled,
        "is_server_key_only": feature.is_server_key_only,
        "initial_value": feature.initial_value,
        "value": state.value,
        "type": feature.type,
        "enabled": state.enabled,
        "multivariate": _variants(state),
        "description": feature.description,
        "is_archived": feature.is_archived,
    }


def _variants(state: FeatureState) -> list[dict[str, Any]]:
    """Describe a feature's options: in the order of their bands here, and last those without a share."""
    shares = {
        each.multivariate_feature_option_id: each.percentage_allocation
        for each in sorted(state.multivariate_feature_state_values.all(), key=lambda each: each.pk)
    }
    options = {option.pk: option for option in state.feature.multivariate_options.all()}
    in_order = [*(pk for pk in shares if pk in options), *(pk for pk in options if pk not in shares)]
    return [
        {
            "percentage_allocation": shares.get(pk, 0),
            "default_percentage_allocation": options[pk].default_percentage_allocation,
            "value": options[pk].value,
            "type": options[pk].type,
            "key": options[pk].key,
        }
        for pk in in_order
    ]
