"""What is joined of fragments is what evaluating and encoding every flag anew would give."""

import json
from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.tests.factories import context, feature
from engine.tests.strategies import (
    CONTEXTS,
    CONTEXTS_WITH_FLAG_DEPENDENCIES,
    FEATURE_NAMES,
    FEATURES,
    IDENTIFIERS,
    identities,
)
from identities.traits import TraitValue
from sdk import payloads
from sdk.fragments import Fragments
from sdk.identities import KnownIdentity, KnownTrait
from sdk.snapshots import compile_snapshot
from sdk.tests.made_contents import ENVIRONMENT_ID, made_content

NAMES = st.frozensets(st.sampled_from(FEATURE_NAMES), max_size=3)


def written(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def encoded_anew(content, identity, *, to_server):
    """Return an identity's answer, made of every flag of a snapshot that has answered nothing before."""
    snapshot = compile_snapshot(content)
    features = {feature["name"]: feature for feature in content.features}
    shown = not content.settings.hides_sensitive_data
    flags = []
    for flag in snapshot.evaluate(identity.identifier, identity.traits).flags.values():
        if content.settings.hides_disabled_flags and not flag.enabled:
            continue
        if flag.name in content.server_only and not to_server:
            continue
        feature, origin = features[flag.name], flag.feature["metadata"] or {}
        drawn = flag.variant if flag.reason.startswith("SPLIT") else "control"
        flags.append(
            {
                "id": origin["feature_state_id"] if shown else None,
                "feature": feature,
                "feature_state_value": flag.value,
                "environment": ENVIRONMENT_ID if shown else None,
                "identity": origin["identity_id"] if shown else None,
                "feature_segment": None,
                "enabled": flag.enabled,
                "variant": drawn if feature["type"] == "MULTIVARIATE" else None,
            }
        )
    traits = [
        {"id": None, "trait_key": key, "trait_value": value, "transient": False}
        for key, value in sorted(identity.traits.items())
    ]
    return written({"identifier": identity.identifier, "traits": traits if shown else [], "flags": flags})


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    evaluated=CONTEXTS | CONTEXTS_WITH_FLAG_DEPENDENCIES,
    overrides=st.dictionaries(
        st.sampled_from(IDENTIFIERS), st.lists(FEATURES, min_size=1, max_size=3), max_size=3
    ),
    multivariate=NAMES,
    server_only=NAMES,
    hides_disabled_flags=st.booleans(),
    hides_sensitive_data=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_joined_fragments_are_every_flag_encoded(evaluated, overrides, seed, **about):
    content = made_content(evaluated, identity_overrides=overrides, **about)
    snapshot = compile_snapshot(content)

    for identity in identities(evaluated, seed, 6) * 2:  # the second time all is known
        known_traits = {key: KnownTrait(cast(TraitValue, value)) for key, value in identity.traits.items()}
        known = KnownIdentity(identity.identifier, known_traits)
        for to_server in (True, False):
            answer = payloads.identity(snapshot, known, to_server=to_server)

            assert answer.body == encoded_anew(content, identity, to_server=to_server)


def test_only_what_evaluating_gives_again_is_kept():
    content = made_content(
        context(feature("banner"), feature("checkout")),
        identity_overrides={"kim": [feature("checkout", "for kim")]},
    )
    snapshot = compile_snapshot(content)
    encoded = []

    def encode(flag):
        encoded.append(flag.value)
        return b"{}"

    fragments = Fragments(encode, snapshot.visibility)
    for identifier in ("kim", "lee"):
        flags = snapshot.evaluate(identifier, {}).flags.values()
        for _ in range(2):
            fragments.joined(flags, to_server=True)

    assert encoded == ["default", "for kim", "for kim", "default"]
