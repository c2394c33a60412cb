"""What cases find: figures, each with the target that it is held to."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["measured", "failed", "skipped"]

# The unit of figures that are shares of the bare server's rate.
RATIO = "of bare"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound: `at least 0.8` of bare, or `at most 50` ms."""

    bound: float
    is_at_least: bool = False

    def is_met_by(self, value: float) -> bool:
        return value >= self.bound if self.is_at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_at_least else '≤'} {number(self.bound)}"


@dataclass(frozen=True, slots=True)
class Result:
    """One figure.

    Attributes:
        unit: what `value` counts; `of bare` where it is a ratio of the two rates.
        bare, burgee: requests per second, medians of the rounds.
        note: what belongs to the figure, or why there is none.
    """

    case: str
    value: float | None = None
    unit: str = ""
    target: Target | None = None
    bare: float | None = None
    burgee: float | None = None
    note: str = ""
    state: State = "measured"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing to hold to it."""
        if self.target is None or self.state == "skipped":
            return None
        return self.value is not None and self.target.is_met_by(self.value)

    @property
    def is_ratio(self) -> bool:
        return self.unit == RATIO

    @property
    def verdict(self) -> str:
        if self.state != "measured":
            return self.state
        return {True: "yes", False: "NO", None: "–"}[self.met]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


def number(value: float | None) -> str:
    """Write a figure with as many digits as it is worth.

    >>> number(27712.4), number(0.8), number(0.8312), number(3.14159), number(150), number(0)
    ('27,712', '0.80', '0.83', '3.1', '150', '0')
    """
    if value is None:
        return "–"
    if abs(value) >= 100 or (value == int(value) and abs(value) >= 1):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 1 and value else f"{value:.1f}" if value else "0"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of all are not above.

    >>> percentile([5, 1, 4, 2, 3], 50), percentile([5, 1, 4, 2, 3], 99), percentile([7], 50)
    (3, 5, 7)
    """
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]
