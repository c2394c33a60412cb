"""The figures in docs/performance.md: what stands between two marks; the rest is written by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import CannotRun
from bench.figures import Result
from bench.tables import rows_of

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def write(path: Path, results: Sequence[Result], about: Mapping[str, str]) -> Path:
    """Replace what stands between the marks.

    Raises:
        CannotRun: the page has no marks.
    """
    text = path.read_text()
    before, begins, rest = text.partition(BEGIN)
    _, ends, after = rest.partition(END)
    if not begins or not ends:
        raise CannotRun(f"{path} has no place for figures: the lines {BEGIN} and {END}.")
    path.write_text(f"{before}{BEGIN}\n\n{section(results, about)}\n{END}{after}")
    return path


def section(results: Sequence[Result], about: Mapping[str, str]) -> str:
    """Return the machine, the chart and the tables in Markdown."""
    machine = _table([("", ""), *about.items()])
    tables = [_table(rows) for rows in rows_of(results) if len(rows) > 1]
    return "\n".join(
        [machine, "![Burgee's rates as shares of the bare server's](performance.svg)\n", *tables]
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    first, *others = ("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows)
    return "\n".join([first, "|" + " --- |" * len(rows[0]), *others, ""])
