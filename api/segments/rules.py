"""Rules of segments as they are given, and what must hold of them before they are stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from django.conf import settings

from core.errors import InvalidInput
from engine.patterns import validate_pattern
from engine.versions import SUFFIX, is_version, precedence
from segments.models import Operator

# What compares versions where the value says so.
_COMPARISONS: Final = frozenset(
    {
        Operator.EQUAL,
        Operator.NOT_EQUAL,
        Operator.GREATER_THAN,
        Operator.GREATER_THAN_INCLUSIVE,
        Operator.LESS_THAN,
        Operator.LESS_THAN_INCLUSIVE,
    }
)
# A root rule, and one more. The engine knows no limit; dashboards can show no more.
DEEPEST_LEVEL: Final = 2


@dataclass(frozen=True)
class WantedCondition:
    operator: str
    property: str | None = None
    value: str | None = None
    description: str | None = None

    def __str__(self) -> str:
        """Name it for people: `email REGEX`."""
        return f"{self.property or ''} {self.operator}".strip()


@dataclass(frozen=True)
class WantedRule:
    type: str
    conditions: tuple[WantedCondition, ...] = ()
    rules: tuple["WantedRule", ...] = ()

    @property
    def all_conditions(self) -> Iterator[WantedCondition]:
        yield from self.conditions
        for rule in self.rules:
            yield from rule.all_conditions


def wanted_rules(rules: Sequence[Mapping[str, Any]], *, level: int = 1) -> tuple[WantedRule, ...]:
    """Return validated rules as they came, `{"type", "rules", "conditions"}`, in the form services take.

    What says `"delete": true` is left out, as if it hadn't been sent.

    Raises:
        InvalidInput: rules are nested more than two levels deep.
    """
    if rules and level > DEEPEST_LEVEL:
        raise InvalidInput({"segment": ["Rules must not be nested more than 2 levels deep."]})
    return tuple(
        WantedRule(
            type=rule["type"],
            conditions=tuple(
                WantedCondition(
                    operator=condition["operator"],
                    property=condition.get("property"),
                    value=condition.get("value"),
                    description=condition.get("description"),
                )
                for condition in rule.get("conditions", [])
                if not condition.get("delete")
            ),
            rules=wanted_rules(rule.get("nested", rule.get("rules", [])), level=level + 1),
        )
        for rule in rules
        if not rule.get("delete")
    )


def check_rules(rules: Sequence[WantedRule], *, present: Sequence[WantedRule] = ()) -> None:
    """Refuse rules that no segment may have.

    Args:
        present: what the segment has now. If that is more than the limit, made when there was none or a
            higher one, it may stay as much but not grow.

    Raises:
        InvalidInput: there are none, too many conditions, or a condition that can never be evaluated.
    """
    if not rules:
        raise InvalidInput({"rules": ["This list may not be empty."]})
    conditions = conditions_of(rules)
    limit = settings.SEGMENT_RULES_CONDITIONS_LIMIT
    if len(conditions) > max(limit, len(conditions_of(present))):
        reason = (
            f"The segment has {len(conditions)} conditions, "
            f"which exceeds the maximum condition count of {limit}."
        )
        raise InvalidInput({"segment": [reason]})
    problems = [
        f"Condition {number} ({condition}): {problem}"
        for number, condition in enumerate(conditions, start=1)
        if (problem := problem_of(condition))
    ]
    if problems:
        raise InvalidInput({"rules": problems})


def conditions_of(rules: Sequence[WantedRule]) -> list[WantedCondition]:
    """Return all conditions of rules, in the order in which they stand there."""
    return [condition for rule in rules for condition in rule.all_conditions]


def problem_of(condition: WantedCondition) -> str | None:
    """Return what is wrong with a condition's value, or None."""
    value = condition.value
    if value is not None and len(value) > settings.SEGMENT_CONDITION_VALUE_LIMIT:
        limit = settings.SEGMENT_CONDITION_VALUE_LIMIT
        return f"A condition's value has no more than {limit} characters."
    if condition.operator == Operator.REGEX and value is not None:
        reason = validate_pattern(value)
        return f"Not a usable regular expression: {reason}" if reason else None
    if condition.operator == Operator.PERCENTAGE_SPLIT and not _is_percentage(value):
        return "The value of a PERCENTAGE_SPLIT is a number from 0 to 100."
    if condition.operator == Operator.MODULO and not _is_modulo(value):
        return "The value of a MODULO is 'divisor|remainder', two numbers, the first of them not 0."
    if condition.operator in _COMPARISONS and value is not None and is_version(value):
        version = value.removesuffix(SUFFIX)
        if precedence(version) is None:
            return f"Not a semantic version such as 1.10.0: '{version:.100}'"
    return None


def _is_percentage(value: str | None) -> bool:
    number = _number(value)
    return number is not None and 0 <= number <= 100


def _is_modulo(value: str | None) -> bool:
    divisor, _, remainder = (value or "").partition("|")
    return _number(divisor) not in {None, 0} and _number(remainder) is not None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None
