"""``python -m tools.advisories``: whether the locked libraries that the server runs with have known vulnerabilities.

pip-audit asks PyPI, and needs its network. Where that cannot be had, this says so, and fails nothing: nothing is known
then, and the same commit would be good or bad by the hour.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "run.txt"


class Advisory(msgspec.Struct):
    """One known vulnerability."""

    id: str
    fix_versions: list[str] = []


class Dependency(msgspec.Struct):
    """A library, with what is known of its locked version, or why that is not known."""

    name: str
    version: str = ""
    vulns: list[Advisory] = []
    skip_reason: str | None = None


class Report(msgspec.Struct):
    """What pip-audit writes."""

    dependencies: list[Dependency]


def told(report: Report) -> list[str]:
    """A line for each known vulnerability."""
    return [
        f"{each.name} {each.version}: {advisory.id}, mended in {', '.join(advisory.fix_versions) or 'no release yet'}"
        for each in report.dependencies
        for advisory in each.vulns
    ]


def main() -> int:
    """0: none is known, or nothing could be asked."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = msgspec.json.decode(done.stdout, type=Report)
    except msgspec.DecodeError:
        print(f"advisories: not asked, as the index does not answer: {(done.stderr.strip() or '?').splitlines()[-1]}")
        return 0
    unknown = [each.name for each in report.dependencies if each.skip_reason is not None]
    if unknown:
        print(f"advisories: nothing could be learned of {', '.join(unknown)}")
    found = told(report)
    print("\n".join(found) or f"advisories: none of {len(report.dependencies) - len(unknown)} libraries")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
