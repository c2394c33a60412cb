"""Figures, tables, the chart and the page, without a run."""

import doctest
from xml.etree import ElementTree

import pytest

from bench import figures
from bench.cases import CASES, DEFAULT, GROUPS, expanded
from bench.chart import chart
from bench.errors import CannotRun
from bench.figures import RATIO, Result, Target, number, percentile
from bench.page import BEGIN, END, write
from bench.servers import REPOSITORY
from bench.tables import line, tables

MET = Result("flags", 0.9, RATIO, Target(0.8, is_at_least=True), bare=20_000, burgee=18_000, note="30 bytes")
MISSED = Result("identities", 0.1996, RATIO, Target(0.2, is_at_least=True), bare=10_000, burgee=1996)
FREE = Result("10 features", 1.25, RATIO, bare=10_000, burgee=12_500)
FAILED = Result("ofrep", unit=RATIO, target=Target(0.4, is_at_least=True), note="500", state="failed")
SKIPPED = Result("streams", unit="MB", target=Target(200), note="not there", state="skipped")
LATENCY = Result("change visible | p99", 31.234, "ms", Target(50))


def test_examples_in_docstrings_hold():
    assert doctest.testmod(figures).failed == 0


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (99, 99), (100, 100), (0.5, 1)])
def test_percentiles_are_values_that_were_seen(percent, expected):
    assert percentile(range(100, 0, -1), percent) == expected


@pytest.mark.parametrize(
    ("value", "text"), [(27_712.4, "27,712"), (150, "150"), (31.25, "31.2"), (0.831, "0.83"), (0, "0")]
)
def test_figures_have_as_many_digits_as_they_are_worth(value, text):
    assert number(value) == text


def test_targets_are_bounds_from_either_side():
    assert (MET.met, MISSED.met, LATENCY.met) == (True, False, True)
    assert Result("start", 3.1, "s", Target(3)).met is False
    assert Result("start", 3.0, "s", Target(3)).met is True


def test_without_a_figure_nothing_is_met_and_without_a_target_nothing_is_missed():
    assert (FAILED.met, SKIPPED.met, FREE.met) == (False, None, None)


def test_a_line_says_what_was_found():
    assert line(MET) == "flags: 0.900 of bare (20,000/s bare, 18,000/s Burgee), target ≥ 0.80: yes"
    assert line(FAILED) == "ofrep: failed, 500"


def test_tables_have_a_row_for_each_figure():
    rates, others = tables([MET, LATENCY, MISSED, FAILED, SKIPPED])

    assert rates.splitlines() == [
        "requests    bare/s  Burgee/s  ratio  target  met",
        "----------  ------  --------  -----  ------  ------  --------",
        "flags       20,000  18,000    0.900  ≥ 0.80  yes     30 bytes",
        "identities  10,000  1,996     0.199  ≥ 0.20  NO",
        "ofrep       –       –         –      ≥ 0.40  failed  500",
    ]
    assert others.splitlines()[2:] == [
        "change visible | p99  31.2 ms   ≤ 50    yes",
        "streams               –         ≤ 200   skipped  not there",
    ]


def test_a_table_without_rows_is_left_out():
    assert len(tables([LATENCY])) == 1


def test_the_chart_has_a_bar_as_long_as_each_ratio_and_a_mark_for_its_target():
    drawing = ElementTree.fromstring(chart([MET, MISSED, FREE, FAILED, LATENCY]))

    svg = "{http://www.w3.org/2000/svg}"
    met, missed, free = (float(bar.get("width", 0)) for bar in drawing.iter(f"{svg}rect"))
    assert free / met == pytest.approx(1.25 / 0.9, abs=0.01)
    assert missed / met == pytest.approx(0.1996 / 0.9, abs=0.01)
    marks = [mark for mark in drawing.iter(f"{svg}line") if mark.get("stroke-width") == "2"]
    assert len(marks) == 2


def test_the_page_keeps_what_was_written_by_hand(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\n{BEGIN}\nold\n{END}\n\nHow to read it.\n")

    write(page, [MET, LATENCY], {"Processor": "a fast one"})
    write(page, [MET, LATENCY], {"Processor": "a fast one"})

    text = page.read_text()
    assert text.startswith("# Performance\n")
    assert text.endswith("How to read it.\n")
    assert "old" not in text
    assert text.count("| Processor | a fast one |") == 1
    assert "| flags | 20,000 | 18,000 | 0.900 | ≥ 0.80 | yes | 30 bytes |" in text
    assert r"| change visible \| p99 | 31.2 ms | ≤ 50 | yes |  |" in text


def test_a_page_without_a_place_for_figures_is_refused(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("# Performance\n")

    with pytest.raises(CannotRun, match="no place"):
        write(page, [MET], {})


def test_the_documentation_has_a_place_for_figures_and_names_every_case(tmp_path):
    text = (REPOSITORY / "docs" / "performance.md").read_text()
    page = tmp_path / "performance.md"
    page.write_text(text)

    write(page, [MET], {})

    assert "| flags | 20,000 |" in page.read_text()
    assert [name for name in CASES if f"\n| {name} | " not in text] == []


def test_groups_are_measured_when_they_are_named():
    assert expanded(["flags", "management"]) == ["flags", *GROUPS["management"]]
    assert {*DEFAULT, *expanded(GROUPS)} == set(CASES)
    assert set(DEFAULT).isdisjoint(expanded(GROUPS))
