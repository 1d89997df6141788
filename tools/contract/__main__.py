"""``python -m tools.contract BINDINGS...``: make the contract from the given releases, newest first."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.contract.merge import merge
from tools.contract.metamodel import metamodel
from tools.contract.write import Writer, write

ROOT = Path(__file__).parents[2]


def extract(bindings: Path) -> dict[str, Any]:
    """What one release of the bindings, unpacked in ``bindings``, describes."""
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("extract.py"))],
        env=os.environ | {"PYTHONPATH": str(bindings), "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        check=True,
    )
    described: dict[str, Any] = json.loads(done.stdout)
    return described


def generate(bindings: list[Path]) -> dict[str, str]:
    """File name -> text of the whole generated package."""
    sources = [extract(path) for path in bindings]
    contract = merge(sources)
    return Writer(contract).run() | {"metamodel.json": metamodel(sources, contract)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.contract", description=__doc__)
    parser.add_argument("bindings", nargs="+", type=Path, help="folders that hold vmware-vcenter, newest first")
    parser.add_argument("--output", type=Path, default=ROOT / "src/resphere/contract/generated")
    options = parser.parse_args()
    files = generate(options.bindings)
    write(files, options.output)
    print(f"{len(files)} files written to {options.output}")


if __name__ == "__main__":
    main()
