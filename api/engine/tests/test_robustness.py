"""Whatever a document or an identity holds, evaluating gives an answer, and always the same."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.compiler import compile_context
from engine.subjects import Identity
from engine.tests.factories import context, feature, rule, segment

OPERATORS = (
    *("EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_INCLUSIVE", "LESS_THAN", "LESS_THAN_INCLUSIVE"),
    *("CONTAINS", "NOT_CONTAINS", "REGEX", "MODULO", "IN", "IS_SET", "IS_NOT_SET", "PERCENTAGE_SPLIT", "?"),
)
_ANY_TEXT = st.text(st.characters(codec=None), max_size=12)
_NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from((10**400, -(10**4000), 1e308, 5e-324)), st.booleans()
)
_SCALARS = st.none() | _ANY_TEXT | _NUMBERS | st.sampled_from(("9" * 5000, "9" * 400 + ".5", "[" * 3000))
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
_PROPERTIES = st.none() | st.sampled_from(("trait", "$.identity.traits.trait")) | _ANY_TEXT.map("$.{}".format)
_PATTERNS = st.text("ab()[]{}?*+|^$\\.-,0123<>=!:PiwWdDsSbBzZ", max_size=12)
_CONDITIONS = st.fixed_dictionaries(
    {
        "operator": st.sampled_from(OPERATORS),
        "property": _PROPERTIES,
        "value": _SCALARS
        | _PATTERNS
        | st.lists(_JSON, max_size=3)
        | st.builds("{}|{}".format, _NUMBERS, _NUMBERS),
    }
) | st.fixed_dictionaries({"operator": st.just("REGEX"), "property": st.just("trait"), "value": _PATTERNS})
_VARIANTS = st.fixed_dictionaries(
    {"value": _JSON, "weight": st.floats() | st.integers(), "priority": _SCALARS}
)


@settings(max_examples=250, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    conditions=st.lists(_CONDITIONS, max_size=5),
    variants=st.lists(_VARIANTS, max_size=3),
    priority=_JSON,
    identifier=_ANY_TEXT,
    trait=_JSON,
)
def test_no_content_can_make_evaluating_fail(conditions, variants, priority, identifier, trait):
    rules = [rule(each, type="ANY") for each in conditions]
    overrides = [feature(priority=priority, variants=variants)]
    document = context(
        feature(variants=variants),
        segments=[segment(each, key=str(index), overrides=overrides) for index, each in enumerate(rules)],
    )
    identity = Identity(identifier, {"trait": trait})

    first = compile_context(document).evaluate(identity)
    second = compile_context(document).evaluate(identity)

    assert [segment["key"] for segment in first.segments] == [segment["key"] for segment in second.segments]
    assert first.flags["checkout"].feature is second.flags["checkout"].feature
    assert first.flags["checkout"].reason == second.flags["checkout"].reason
