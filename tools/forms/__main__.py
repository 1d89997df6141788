"""``python -m tools.forms``: the form of documents has a number, and whoever changes it raises that.

``--check`` refuses a change without one. Without it, what is kept of the present form is made where it is missing:
``tests/server/forms/kept/<number>`` gets a description, and the data directory of a server that was killed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from resphere.server.forms.record import FORM
from resphere.server.wiring import WIRING
from tools.forms.describe import Form, differences, form_of, read, written
from tools.forms.make import keep_data

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "tests" / "server" / "forms" / "kept"
DESCRIPTION = "form.json"


def faults(present: Form, number: int, kept: Path) -> list[str]:
    """Why the present form cannot be that of ``number``; none where it is."""
    description = kept / str(number) / DESCRIPTION
    if not description.exists():
        return [f"form {number} of documents has no description: make forms writes it"]
    changed = differences(read(description.read_text()), present)
    if not changed:
        return []
    return [
        f"the form of documents has changed ({', '.join(changed)}) and its number is {number} still: servers that "
        f"start on older data would fail. Add step {number + 1} to src/resphere/server/forms/steps.py, "
        "then make forms; docs/extend.md says how"
    ]


def main(arguments: list[str]) -> int:
    """Check, or make; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.forms", description="The form of documents.")
    parser.add_argument("--check", action="store_true", help="make nothing")
    options = parser.parse_args(arguments)
    present, folder = form_of(WIRING.tables), KEPT / str(FORM)
    if not options.check and not (folder / DESCRIPTION).exists():
        for refused in keep_data(folder, ROOT / "src", lasting=True):
            print(f"refused: {refused}", file=sys.stderr)
        (folder / DESCRIPTION).write_text(written(present))
        print(f"form {FORM} is kept in {folder.relative_to(ROOT)}")
    found = faults(present, FORM, KEPT)
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
