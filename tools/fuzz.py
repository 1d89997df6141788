"""``python -m tools.fuzz TARGET [-OPTION=VALUE...]``: try to break a parser, guided by which code each input reaches.

Options are libFuzzer's, such as ``-runs=100000``. What is found goes to ``.cache/fuzz/found``: a folder of inputs that
reach new code, which may be added to the kept ones, and ``crash-...`` for a fault, which becomes a kept input of the
tests once it is mended.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

INSTRUMENTED = [
    "resphere.auth",
    "resphere.contract.unions",
    "resphere.dialects",
    "resphere.limits",
    "resphere.ovf",
    "resphere.server",
]

FOUND = Path(__file__).parents[1] / ".cache" / "fuzz" / "found"

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz.targets import CORPUS, targets


def main() -> None:
    """Ends when the time or the number of runs that was given is over, or with a fault."""
    name, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, targets(Path(folder)) as known:
        if name not in known:
            sys.exit(f"fuzz: there is no target {name}; there are {', '.join(known)}")
        found, kept = FOUND / name, CORPUS / name
        for each in (found, kept):
            each.mkdir(parents=True, exist_ok=True)
        # The first folder is added to.
        options += [f"-artifact_prefix={FOUND}/", str(found), str(kept)]
        atheris.Setup([sys.argv[0], *options], known[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
