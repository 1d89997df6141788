"""``python -m bench``: measures, and writes ``bench/RESULTS.md``."""

from __future__ import annotations

import argparse
import compileall
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.measures import MEASURES
from bench.report import RESULTS, cells, machine, render, table
from bench.result import Outcome
from bench.rounds import Effort
from bench.servers import FASTAPI, ROOT, environment


def main(arguments: Sequence[str]) -> int:
    """Run the measures that are named, or all; only all of them are written down."""
    options = parser().parse_args(arguments)
    if unknown := set(options.measures) - set(MEASURES):
        print(f"bench: no such measure: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    if sys.platform != "linux":
        print("bench: processor time and memory are read from /proc, which only Linux has", file=sys.stderr)
        return 1
    compile_bytecode()
    effort = Effort(options.rounds, options.seconds)
    measured, on = datetime.now(UTC), machine(FASTAPI)
    outcomes: dict[str, Outcome] = {}
    for name in options.measures or MEASURES:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        outcomes[name] = MEASURES[name](effort)
    if options.measures:
        print(table(("Measure", "Target", "Result", ""), (cells(v) for o in outcomes.values() for v in o.verdicts)))
    else:
        RESULTS.write_text(render(outcomes, on, effort, measured), encoding="utf-8")
        print(f"bench: wrote {os.path.relpath(RESULTS)}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m bench", description="Measure the server.")
    made.add_argument("measures", nargs="*", metavar="MEASURE", help=f"one of {', '.join(MEASURES)}; none: all")
    made.add_argument("--rounds", type=int, default=Effort().rounds, help="rounds for each server [%(default)s]")
    made.add_argument("--seconds", type=float, default=Effort().seconds, help="seconds for each round [%(default)s]")
    return made


def compile_bytecode() -> None:
    """As it is after the first start, whatever this environment says of writing bytecode."""
    subprocess.run([sys.executable, "-m", compileall.__name__, "-q", str(ROOT / "src")], check=True, env=environment())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
