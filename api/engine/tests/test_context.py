"""The mapping from documents agrees with the one that the Python SDK evaluates through."""

from typing import Any

from flag_engine.engine import get_evaluation_result
from flagsmith import mappers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.compiler import compile_context
from engine.context import environment_context, feature_contexts
from engine.documents import EnvironmentDocument, FeatureStateDocument
from engine.subjects import Identity
from engine.tests.strategies import CONTEXTS, identities

UUID = "b3f0f9a4-90d8-4a2b-8d35-2c2d5c1c9a10"

FEATURE_STATE: FeatureStateDocument = {
    "feature": {"id": 42, "name": "new_checkout", "type": "MULTIVARIATE"},
    "enabled": False,
    "django_id": 311,
    "feature_segment": None,
    "featurestate_uuid": UUID,
    "feature_state_value": "blue",
    "multivariate_feature_state_values": [
        {
            "id": 77,
            "mv_fs_value_uuid": "2f7f6f0e-2a0e-4f6d-9a55-5b9d3a7f3f01",
            "percentage_allocation": 30.0,
            "multivariate_feature_option": {"id": 21, "value": "green", "key": "treatment_a"},
        }
    ],
}
DOCUMENT: EnvironmentDocument = {
    "api_key": "client-key",
    "name": "Production",
    "feature_states": [FEATURE_STATE],
    "project": {
        "segments": [
            {
                "id": 12,
                "name": "pro_users",
                "rules": [
                    {
                        "type": "ALL",
                        "conditions": [],
                        "rules": [
                            {
                                "type": "ANY",
                                "conditions": [{"operator": "EQUAL", "property_": "plan", "value": "pro"}],
                                "rules": [],
                            }
                        ],
                    }
                ],
                "feature_states": [
                    {
                        "feature": {"id": 42, "name": "new_checkout", "type": "MULTIVARIATE"},
                        "enabled": True,
                        "django_id": None,
                        "feature_segment": {"priority": 0},
                        "featurestate_uuid": UUID,
                        "feature_state_value": "red",
                        "multivariate_feature_state_values": [],
                    }
                ],
            }
        ]
    },
    "identity_overrides": [],
}


def sdk_context(document) -> Any:
    return mappers.map_environment_document_to_context(document)


def test_a_document_is_mapped_as_sdks_map_it():
    context = environment_context(DOCUMENT)

    assert context == {
        "environment": {"key": "client-key", "name": "Production"},
        "features": {
            "new_checkout": {
                "key": "311",
                "name": "new_checkout",
                "enabled": False,
                "value": "blue",
                "variants": [{"value": "green", "weight": 30.0, "priority": 77, "key": "treatment_a"}],
                "metadata": {"id": 42},
            }
        },
        "segments": {
            "12": {
                "key": "12",
                "name": "pro_users",
                "rules": [
                    {
                        "type": "ALL",
                        "conditions": [],
                        "rules": [
                            {
                                "type": "ANY",
                                "conditions": [{"operator": "EQUAL", "property": "plan", "value": "pro"}],
                                "rules": [],
                            }
                        ],
                    }
                ],
                "overrides": [
                    {
                        "key": UUID,
                        "name": "new_checkout",
                        "enabled": True,
                        "value": "red",
                        "metadata": {"id": 42},
                        "priority": 0,
                    }
                ],
                "metadata": {"id": 12, "source": "api"},
            }
        },
    }
    assert context == sdk_context(DOCUMENT)


def test_an_allocation_without_an_id_is_ordered_by_its_uuid_and_may_have_no_key():
    state: FeatureStateDocument = {
        **FEATURE_STATE,
        "multivariate_feature_state_values": [
            {
                "id": None,
                "mv_fs_value_uuid": "00000000-0000-0000-0000-00000000000a",
                "percentage_allocation": 30.0,
                "multivariate_feature_option": {"value": "green", "key": None},
            }
        ],
    }

    mapped = feature_contexts([state])["new_checkout"]

    assert mapped["variants"] == [{"value": "green", "weight": 30.0, "priority": 10}]


def document_for(context):
    """Return a document that maps to something like a generated context."""

    def feature_state(feature):
        return {
            "feature": {"id": len(feature["name"]), "name": feature["name"]},
            "enabled": feature["enabled"],
            "django_id": int(feature["key"]) if feature["key"] else None,
            "featurestate_uuid": UUID,
            "feature_segment": {"priority": feature["priority"]} if "priority" in feature else None,
            "feature_state_value": feature["value"],
            "multivariate_feature_state_values": [
                {
                    "id": variant["priority"],
                    "percentage_allocation": variant["weight"],
                    "multivariate_feature_option": {"value": variant["value"], "key": variant.get("key")},
                }
                for variant in feature.get("variants", [])
            ],
        }

    def rule(generated):
        return {
            "type": generated["type"],
            "conditions": [
                {
                    "operator": condition["operator"],
                    "property_": condition["property"],
                    "value": condition["value"],
                }
                for condition in generated.get("conditions", [])
            ],
            "rules": [rule(nested) for nested in generated.get("rules", [])],
        }

    features = [feature_state(feature) for feature in (context.get("features") or {}).values()]
    return {
        "api_key": "env-key",
        "name": "Production",
        "feature_states": features,
        "project": {
            "segments": [
                {
                    "id": int(segment["key"]),
                    "name": segment["name"],
                    "rules": [rule(generated) for generated in segment["rules"]],
                    "feature_states": [feature_state(override) for override in segment["overrides"]],
                }
                for segment in (context.get("segments") or {}).values()
            ]
        },
        # No variants: the Python SDK doesn't evaluate them in identity overrides. Nor does it find
        # overrides of identifiers that look like numbers other than the shortest way to write them.
        "identity_overrides": [
            {
                "identifier": identifier,
                "identity_features": [
                    {
                        **state,
                        "multivariate_feature_state_values": [],
                        "feature_state_value": f"for {identifier}",
                    }
                    for state in features[::2]
                ],
            }
            for identifier in ("user-1", "5")
        ],
    }


@settings(max_examples=80, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(context=CONTEXTS, seed=st.integers(0, 2**32))
def test_documents_evaluate_as_in_the_python_sdk(context, seed):
    document = document_for(context)
    compiled = compile_context(environment_context(document))
    overrides = {
        override["identifier"]: feature_contexts(override["identity_features"])
        for override in document["identity_overrides"]
    }
    theirs_without_identity = sdk_context(document)
    theirs_with_identity: Any

    for identity in identities(context, seed, 25):
        # In the SDK a trait of this name would take the identifier's place, and another's overrides.
        traits = {key: value for key, value in identity.traits.items() if key != "$.identity.identifier"}

        ours = compiled.evaluate(
            Identity(identity.identifier, traits), overrides.get(identity.identifier)
        ).to_result()
        theirs_with_identity = {
            **theirs_without_identity,
            "identity": {"identifier": identity.identifier, "traits": traits},
        }
        theirs = get_evaluation_result(theirs_with_identity)

        for flag in theirs["flags"].values():
            flag["reason"] = "DEFAULT" if flag["reason"] == "STATIC" else flag["reason"]
        assert ours["flags"] == theirs["flags"]
        assert ours["segments"] == [s for s in theirs["segments"] if s["metadata"]["source"] == "api"]
