"""Evaluation contexts and identities for tests, drawn from pools small enough to overlap often."""

from random import Random

from hypothesis import strategies as st

from engine.documents import EvaluationContext
from engine.subjects import Identity

FEATURE_NAMES = ("checkout", "banner", "search", "new price", "beta")
TRAIT_KEYS = ("plan", "age", "version", "beta", "tags", "$.identity.identifier", "$.odd[", "")

TRAIT_VALUES: tuple[object, ...] = (
    *("pro", "PRO", "free", "", "a5", "a10", "abc", "x", "a,b", "é", "a\n", " 5", "1_000", "nan", "[1]"),
    *("5", "007", "-3", "1.5", "1.50", "5.0", "10", "1", "35", "٣", "True", "false", "None", "1e3"),
    *("1.2.3", "1.10.0", "1.2.3-rc.1", "1.2.3-rc.2", "1.2.3+build", "01.2.3", "9" * 30),
    *(0, 1, 5, 7, 35, -3, 10**20, 1.5, 5.0, 0.0, -2.5, 1e300, float("nan"), float("inf")),
    *(True, False, None, ["x", 5], [], {"a": 1}),
)
IDENTIFIERS = ("user-1", "user-2", "00123", "5", "1.5", "", "a,b", "émile")

TEXTS = (
    *("pro", "PRO", "free", "", "a5", "a10", "ab", "x", "a,b", "é", "5", "007", " 5 ", "-3", "+5", "1_000"),
    *("1.5", "5.0", "1e3", "nan", "inf", "True", "true", "False", "false", "FALSE", "0", "1", "None", "10"),
    *("٣", "9" * 30, "1.2.3", "user-1", "$.identity.identifier"),
)
VERSIONS = tuple(
    f"{version}:semver"
    for version in ("1.2.3", "1.10.0", "1.2.3-rc.1", "1.2.3+other", "1.2", "", "a5", "01.2.3", "99.0.0")
)
PATTERNS = (
    *("b", "^a", "abc$", r"\d+$", r"\w+\Z", "(?i)PRO", "a|p", "[^a-z]", r"-?\d", "", "True", r"1\.5", "x$|a"),
    *("(?P<first>a).*", r"\s*5", ".*c", "user-[12]", r"(?:1\.)+2"),
)
DIVISIONS = (
    "2|0",
    "2|1",
    "4|3",
    "-4|-1",
    "2.5|0",
    "1|0.5",
    "2",
    "a|b",
    "2|0|1",
    "",
    "inf|5",
    "nan|0",
    "1e3|35",
)
MEMBERS = (
    *("1,2", "1, 2", "pro,free", "", ",", "True,true,1", "user-1,user-2", "1.5", "5,007,7"),
    *('["x", "y"]', "[1, 2.5, true, null]", "[1,2", "[]", '["a,b"]', '[["x"]]'),
)
PERCENTAGES = ("0", "10", "50", "50.5", "100", "-1", "abc", "", "nan", "inf", " 20 ")
PATHS = (
    *("$.identity.identifier", "$.identity.key", "$.environment.name", "$.environment.key", "$.identity"),
    *("$.identity.traits.plan", "$.identity.traits['age']", "$.identity.traits.tags[0]", "$.nothing.here"),
    *("$.identity.traits.tags[-9]", "$.identity.traits.tags", "$.features.checkout.value", "$.", "$.odd["),
    *("$.segments['1'].name", "$.features.search.enabled", "$.identity.traits[0]", "$.identity.identifier.x"),
)
FLAG_PATHS = tuple(
    f"$.flags['{name}'].{part}"
    for name in (*FEATURE_NAMES, "unknown")
    for part in ("enabled", "value", "variant")
)

_VALUES_BY_OPERATOR = {
    "EQUAL": (*TEXTS, *VERSIONS),
    "NOT_EQUAL": (*TEXTS, *VERSIONS),
    "GREATER_THAN": (*TEXTS, *VERSIONS),
    "GREATER_THAN_INCLUSIVE": (*TEXTS, *VERSIONS),
    "LESS_THAN": (*TEXTS, *VERSIONS),
    "LESS_THAN_INCLUSIVE": (*TEXTS, *VERSIONS),
    "CONTAINS": TEXTS,
    "NOT_CONTAINS": (*TEXTS, *VERSIONS),
    "REGEX": PATTERNS,
    "MODULO": DIVISIONS,
    "IN": (*MEMBERS, *TEXTS, ["pro", "5", "user-1"], ["1.5", 5, True, None], []),
    "IS_SET": ("",),
    "IS_NOT_SET": ("",),
    "PERCENTAGE_SPLIT": PERCENTAGES,
}
_FEATURE_VALUES = ("blue", "", 7, True, False, None, "pro")


def _conditions(properties, operators):
    def condition(operator):
        # Blank is the identity's key for PERCENTAGE_SPLIT, and a trait's key for the others.
        extra = (None, "") if operator == "PERCENTAGE_SPLIT" else ()
        return st.fixed_dictionaries(
            {
                "operator": st.just(operator),
                "property": st.sampled_from((*properties, *extra)),
                "value": st.sampled_from(_VALUES_BY_OPERATOR.get(operator, TEXTS)),
            }
        )

    return st.sampled_from(operators).flatmap(condition)


_RULE_TYPES = st.sampled_from(("ALL", "ANY", "NONE"))


def _rules(conditions, *, depth):
    groups = {"conditions": st.lists(conditions, max_size=3)}
    if depth > 1:
        groups["rules"] = st.lists(_rules(conditions, depth=depth - 1), max_size=2)
    return st.one_of(
        st.fixed_dictionaries({"type": _RULE_TYPES, **groups}),
        st.fixed_dictionaries({"type": _RULE_TYPES}, optional=groups),
    )


_VARIANTS = st.lists(
    st.fixed_dictionaries(
        {
            "value": st.sampled_from(("green", "red", 1, None)),
            "weight": st.sampled_from((0, 10, 30, 33.3, 50, 100, 50.0)),
            "priority": st.sampled_from((1, 2, 3, 77, 2**127)),
        },
        optional={"key": st.sampled_from(("a", "b", "control"))},
    ),
    max_size=3,
)


def _features(names):
    return st.fixed_dictionaries(
        {
            "key": st.sampled_from(("1", "2", "311", "")),
            "name": names,
            "enabled": st.booleans(),
            "value": st.sampled_from(_FEATURE_VALUES),
        },
        optional={
            "variants": _VARIANTS,
            "priority": st.sampled_from((0, 1, 2, 2.5, -1, float("inf"))),
            "metadata": st.sampled_from(({"id": 1}, {"id": 2}, {})),
        },
    )


FEATURES = _features(st.sampled_from(FEATURE_NAMES))


def _segments(key, rules):
    return st.fixed_dictionaries(
        {
            "key": st.just(key),
            "name": st.sampled_from(("one", "two", f"segment {key}")),
            "rules": rules,
            "overrides": st.lists(FEATURES, max_size=4),
        },
        optional={"metadata": st.sampled_from(({"id": int(key), "source": "api"}, {}))},
    )


def _contexts(rules):
    features = {name: _features(st.just(name)) for name in FEATURE_NAMES}
    segments = {key: _segments(key, rules) for key in ("1", "2", "3", "17")}
    rich = {"features": st.fixed_dictionaries(features), "segments": st.fixed_dictionaries(segments)}
    poor = {
        "features": st.fixed_dictionaries({}, optional=features) | st.none(),
        "segments": st.fixed_dictionaries({}, optional=segments) | st.none(),
    }
    environment = {"environment": st.just({"key": "env-key", "name": "Production"})}
    return st.one_of(
        *[st.fixed_dictionaries({**environment, **rich})] * 4,
        st.fixed_dictionaries(environment, optional=poor),
    )


_ANY_CONDITIONS = _conditions(
    (*TRAIT_KEYS * 6, *PATHS), (*_VALUES_BY_OPERATOR, *_VALUES_BY_OPERATOR, "UNHEARD_OF")
)
CONTEXTS = _contexts(st.lists(_rules(_ANY_CONDITIONS, depth=3), max_size=2))

# Whether there is a circle depends on which flags are read at all. The published engine reads them
# also for a condition that can't be true, and in nested rules when the conditions beside them have
# decided: neither is generated.
_FLAG_CONDITIONS = _conditions(
    (*TRAIT_KEYS[:3], *FLAG_PATHS), ("EQUAL", "NOT_EQUAL", "IS_SET", "IS_NOT_SET", "IN", "CONTAINS", "REGEX")
)
CONTEXTS_WITH_FLAG_DEPENDENCIES = _contexts(
    st.lists(_rules(_FLAG_CONDITIONS, depth=1), min_size=1, max_size=2)
)


def identities(context: EvaluationContext, seed: int, count: int) -> list[Identity]:
    """Return `count` identities, about half of whose traits are what a condition compares with.

    Cheaper than drawing each; it is the context that needs shrinking.
    """
    random = Random(seed)
    hints = sorted(_trait_values_in(context)) or [""]
    found = []
    for _ in range(count):
        traits: dict[str, object] = {}
        for key in random.sample(TRAIT_KEYS, len(TRAIT_KEYS)):
            if random.random() < 0.8:
                traits[key] = random.choice(hints) if random.random() < 0.5 else random.choice(TRAIT_VALUES)
        found.append(Identity(random.choice(IDENTIFIERS), traits))
    return found


def _trait_values_in(context: EvaluationContext) -> set[str]:
    values: set[str] = set()
    rules = [rule for segment in (context.get("segments") or {}).values() for rule in segment["rules"]]
    while rules:
        rule = rules.pop()
        rules.extend(rule.get("rules") or ())
        for condition in rule.get("conditions") or ():
            text = str(condition["value"]).removesuffix(":semver")
            values.update((text, *text.split(","), text.strip("^$[]")))
    return values
