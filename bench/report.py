"""What a run leaves behind: tables on the terminal, a JSON file, a chart, and a page of the documentation."""

import json
from collections.abc import Mapping, Sequence

from bench import page
from bench.chart import chart
from bench.figures import Result
from bench.servers import REPOSITORY
from bench.tables import tables

FOLDER = REPOSITORY / "bench" / "results"
_DOCS = REPOSITORY / "docs"


def publish(results: Sequence[Result], about: Mapping[str, str], *, writes_page: bool) -> None:
    """Print the tables and write the files."""
    print()
    for name, value in about.items():
        print(f"{name + ':':<12} {value}")
    for text in tables(results):
        print(f"\n{text}")
    FOLDER.mkdir(exist_ok=True)
    as_json = {"about": dict(about), "results": [result.as_json() for result in results]}
    (FOLDER / "latest.json").write_text(json.dumps(as_json, indent=2, ensure_ascii=False) + "\n")
    (FOLDER / "latest.svg").write_text(chart(results))
    print(f"\nWritten: {FOLDER / 'latest.json'}, {FOLDER / 'latest.svg'}")
    if writes_page:
        (_DOCS / "performance.svg").write_text(chart(results))
        written = page.write(_DOCS / "performance.md", results, about)
        print(f"Written: {written}, {_DOCS / 'performance.svg'}")
