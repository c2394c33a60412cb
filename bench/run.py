"""A run: the cases one after another, then the table, the JSON and the chart."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.cases import CASES, DEFAULT, GROUPS, Case, expanded
from bench.errors import CannotRun, CaseFailed, CaseSkipped
from bench.figures import Result
from bench.machine import describe
from bench.report import FOLDER, publish
from bench.rig import Rig
from bench.tables import line


def run(
    wrk: str,
    environment: Mapping[str, str],
    folder: Path,
    *,
    names: Sequence[str],
    rounds: int,
    seconds: float,
    writes_page: bool,
) -> int:
    """Measure and report; return 1 where a case failed, otherwise 0.

    Args:
        names: which cases, or groups of them; none means those of a default run, or all for the page.

    Raises:
        CannotRun: one of them doesn't exist.
    """
    known = [*CASES, *GROUPS]
    if unknown := set(names) - set(known):
        raise CannotRun(f"CASES knows {', '.join(known)}, not {', '.join(sorted(unknown))}.")
    rig = Rig(wrk, environment, folder, _empty(FOLDER / "logs"), rounds, seconds)
    results: list[Result] = []
    started_at = time.monotonic()
    try:
        for name in expanded(names) or (CASES if writes_page else DEFAULT):
            for result in _measured(name, CASES[name], rig):
                results.append(result)
                print(line(result), flush=True)
    finally:
        rig.stop()
    about = describe(wrk, rounds=rounds, seconds=seconds, took_seconds=time.monotonic() - started_at)
    publish(results, about, writes_page=writes_page)
    return int(any(result.state == "failed" for result in results))


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _measured(name: str, case: Case, rig: Rig) -> Iterator[Result]:
    try:
        yield from case(rig)
    except CaseSkipped as error:
        yield Result(name, note=str(error), state="skipped")
    except CaseFailed as error:
        yield Result(name, note=str(error), state="failed")
    except Exception as error:  # noqa: BLE001  # the other cases' figures shall not be lost with it
        yield Result(name, note=f"{type(error).__name__}: {error}", state="failed")
