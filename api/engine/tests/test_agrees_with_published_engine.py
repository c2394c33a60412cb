"""The same contexts and identities, evaluated here and by the engine that the Python SDK brings.

Its reason `STATIC` counts as our `DEFAULT`. Where we differ on purpose, and what is generated here
therefore leaves out:

- It raises where MODULO divides by zero, where an invalid pattern or a property of null is met, and
  where integers are too long for their text or too big for a float. Here the condition is false.
- Patterns that RE2 can't take (look-around, references to groups, possessive quantifiers, `\\B`,
  `$` in the middle) never match here; `\\b` looks at ASCII only; text with lone surrogates never
  matches.
- CONTAINS with a value that ends in `:semver` compares parts of the version there, text here.
- JSONPath that is no singular query (wildcards, slices, filters, descendants) is a trait's key
  here; so is one that it fails on with another error than a syntax error.
- It reads `$.flags` even for a condition that can't be true, or in nested rules when the conditions
  beside them have decided, which may close a circle; and it reads any part of a flag. Here flags are
  read when needed, and only enabled, value and variant.
"""

import pytest
from flag_engine.engine import get_evaluation_result
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from engine.compiler import compile_context
from engine.tests.strategies import CONTEXTS, CONTEXTS_WITH_FLAG_DEPENDENCIES, identities

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

CASES = 40_000
SHARDS = 8
IDENTITIES_PER_CONTEXT = 25


def published_result(context, identity):
    if identity is not None:
        context = {
            **context,
            "identity": {"identifier": identity.identifier, "traits": identity.traits},
        }
    result = get_evaluation_result(context)
    for flag in result["flags"].values():
        if flag["reason"] == "STATIC":
            flag["reason"] = "DEFAULT"
    return result


def compare(contexts, shard, *, examples):
    """Compare in full for each identity, and return the number of cases."""
    cases = 0

    @seed(shard)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(context=contexts, identity_seed=st.integers(0, 2**32))
    def compare_context(context, identity_seed):
        nonlocal cases
        compiled = compile_context(context)

        assert compiled.evaluate_segments_without_identity().to_result() == published_result(context, None)
        for identity in identities(context, identity_seed, IDENTITIES_PER_CONTEXT):
            evaluation = compiled.evaluate(identity)
            assert evaluation.to_result() == published_result(context, identity), identity
            assert compiled.matching_segments(identity) == list(evaluation.segments)
            for name, flag in evaluation.flags.items():
                single = compiled.evaluate_feature(name, identity)
                assert single is not None
                assert single.to_result() == flag.to_result()
            cases += 1

    compare_context()
    return cases


@pytest.mark.parametrize("shard", range(SHARDS))
def test_flags_and_segments_are_those_of_the_published_engine(shard):
    cases = compare(CONTEXTS, shard, examples=CASES // SHARDS // IDENTITIES_PER_CONTEXT)

    assert cases >= CASES // SHARDS


@pytest.mark.parametrize("shard", range(2))
def test_flags_that_depend_on_flags_are_those_of_the_published_engine(shard):
    cases = compare(CONTEXTS_WITH_FLAG_DEPENDENCIES, shard, examples=80)

    assert cases >= 80 * IDENTITIES_PER_CONTEXT
