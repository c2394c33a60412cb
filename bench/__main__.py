"""`python -m bench`: see `make help`."""

import argparse
import signal
import sys
from collections.abc import Sequence

from bench import product, wrk
from bench.errors import CannotRun


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.report and options.cases:
        print("A report is of all cases: leave CASES out.", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # and what was started is ended
    try:
        load_tool = wrk.find()
        folder = product.claim_folder()
        environment = product.set_up(folder)
        # Models can be imported only now that Django is set up.
        from bench.run import run

        return run(
            load_tool,
            environment,
            folder,
            names=[name for name in options.cases.split(",") if name],
            rounds=options.rounds,
            seconds=options.seconds,
            writes_page=options.report,
        )
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Burgee on this machine.")
    parser.add_argument("--cases", default="", help="names, joined by commas; all by default")
    parser.add_argument("--rounds", type=_positive, default=5, help="of each rate, on each server")
    parser.add_argument("--seconds", type=_positive, default=2, help="that a round lasts")
    parser.add_argument(
        "--report", action="store_true", help="also write the figures into docs/performance.md"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"a whole number above 0 is needed, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
