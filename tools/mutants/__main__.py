"""``python -m tools.mutants [PART...]``: have the tests notice faults in the primitives of concurrency and access.

Tries the modules of :data:`~tools.mutants.targets.TARGETS` whose name has one of the parts, or all. What survives is a
fault that no test notices: it gets a test, or is explained in ``explained.toml``.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tools.mutants.mutations import Mutant, mutants_of
from tools.mutants.running import PATIENCE, SOURCES, Outcome, Run, run_all
from tools.mutants.targets import TARGETS, Target

EXPLAINED = Path(__file__).with_name("explained.toml")
LONGEST_SECONDS = 600.0


class Explanation(msgspec.Struct, frozen=True):
    """Why a mutant may survive."""

    module: str
    function: str
    mutation: str
    code: str
    why: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """That of the mutant."""
        return self.module, self.function, self.mutation, self.code


def explanations() -> list[Explanation]:
    """All of them."""
    content = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
    return msgspec.convert(content.get("explained", []), list[Explanation])


def mutants_in(module: str, target: Target) -> list[Mutant]:
    """The mutants of one module of a target."""
    return mutants_of(module, (SOURCES / module).read_text(encoding="utf-8"), target.calls)


def stale(explained: list[Explanation]) -> list[str]:
    """What explains a mutant that is none any more, and what is explained twice."""
    known = {mutant.key for target in TARGETS for module in target.modules for mutant in mutants_in(module, target)}
    counts = Counter(each.key for each in explained)
    return [
        f"{each.module}: {each.function}: {each.mutation}: {each.code}: "
        + ("there is no such mutant" if each.key not in known else "is explained twice")
        for each in explained
        if each.key not in known or counts[each.key] > 1
    ]


def tried(target: Target, parts: list[str], known: set[tuple[str, str, str, str]], jobs: int) -> Iterator[Run]:
    """The runs of a target's mutants that nobody has explained, as they end.

    :raises SystemExit: the tests fail without any fault.
    """
    modules = [each for each in target.modules if not parts or any(part in each for part in parts)]
    mutants = [mutant for module in modules for mutant in mutants_in(module, target) if mutant.key not in known]
    if not mutants:
        return
    (base,) = run_all([None], target.tests, LONGEST_SECONDS, 1)
    if base.outcome is not Outcome.SURVIVED:
        sys.exit(f"mutants: {' '.join(target.tests)} cannot be run, or fail without a fault")
    print(f"{len(mutants)} of {', '.join(modules)}: {base.seconds:.0f} s without a fault", flush=True)
    yield from run_all(mutants, target.tests, 10 + PATIENCE * base.seconds, jobs)


def main() -> int:
    """0: every mutant is noticed or explained."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description="Try faults that tests must notice.")
    parser.add_argument("parts", nargs="*", help="parts of the names of modules (default: all modules)")
    parser.add_argument("--jobs", type=int, default=2, help="so many at once (default: 2)")
    options = parser.parse_args()
    explained = explanations()
    complaints = stale(explained)
    for complaint in complaints:
        print(f"explained.toml: {complaint}")
    outcomes: Counter[Outcome] = Counter()
    for target in TARGETS:
        for run in tried(target, options.parts, {each.key for each in explained}, options.jobs):
            outcomes[run.outcome] += 1
            if run.outcome is Outcome.SURVIVED and run.mutant is not None:
                print(f"survived: {told(run.mutant)}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()) or "nothing tried")
    return 1 if complaints or outcomes[Outcome.SURVIVED] else 0


def told(mutant: Mutant) -> str:
    """A mutant in a line."""
    return f"{mutant.module}:{mutant.line}: {mutant.function}: {mutant.mutation}: {mutant.code}"


if __name__ == "__main__":
    sys.exit(main())
