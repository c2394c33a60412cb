"""Figures in words and in columns."""

import math
from collections.abc import Sequence

from bench.figures import Result, number


def line(result: Result) -> str:
    """Return one figure as it is shown when it has just been found."""
    if result.state != "measured":
        return f"{result.case}: {result.state}, {result.note}"
    value = share(result) if result.is_ratio else number(result.value)
    held = f", target {result.target}: {result.verdict}" if result.target else ""
    rates = f" ({number(result.bare)}/s bare, {number(result.burgee)}/s Burgee)" if result.bare else ""
    return f"{result.case}: {value} {result.unit}{rates}{held}"


def tables(results: Sequence[Result]) -> list[str]:
    """Return the table of rates and that of all other figures, in columns for a terminal."""
    return [_in_columns(rows) for rows in rows_of(results) if len(rows) > 1]


def rows_of(results: Sequence[Result]) -> list[list[tuple[str, ...]]]:
    """Return the rows of both tables, each with its heading."""
    rates: list[tuple[str, ...]] = [("requests", "bare/s", "Burgee/s", "ratio", "target", "met", "")]
    others: list[tuple[str, ...]] = [("figure", "measured", "target", "met", "")]
    for result in results:
        target = str(result.target) if result.target else "–"
        if result.is_ratio:
            rate = number(result.bare), number(result.burgee), share(result)
            rates.append((result.case, *rate, target, result.verdict, result.note))
        else:
            measured = "–" if result.value is None else f"{number(result.value)} {result.unit}"
            others.append((result.case, measured, target, result.verdict, result.note))
    return [rates, others]


def share(result: Result) -> str:
    """Return a ratio, never rounded up to the target that it misses."""
    return "–" if result.value is None else f"{math.floor(result.value * 1000) / 1000:.3f}"


def _in_columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(each.rstrip() for each in lines)
