"""``python -m tools.pythons``: a quick share of the tests on every other Python that is claimed and found.

What is claimed stands in the classifiers of ``pyproject.toml``. Interpreters are looked for on the PATH, where
distributions put theirs, and among those of pyenv and uv; what is not found is said, and not tried. Each has an
environment in ``.cache/pythons`` with what ``requirements/pythons.txt`` locks.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "pythons.txt"
ENVIRONMENTS = ROOT / ".cache" / "pythons"
SHARE = ("store", "replica", "tasks", "contract", "auth")
"""The folders of tests that are run: where interpreters have differed, and what is quick."""

_CLASSIFIER = re.compile(r"Programming Language :: Python :: (\d+\.\d+)")
_ASK = "import ensurepip, platform, venv; print(platform.python_version())"


def main() -> int:
    """Try each; 0 where none failed."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    failed = False
    for version in claimed((ROOT / "pyproject.toml").read_text(encoding="utf-8")):
        if version == own:
            continue
        found = find(version, os.environ)
        if found is None:
            print(f"pythons: {version}: no interpreter found here; not tried")
            continue
        python, full = found
        print(f"pythons: {version}: trying {full}, found at {python}", flush=True)
        failed |= not passes(environment(python, version, full))
    return int(failed)


def claimed(pyproject: str) -> list[str]:
    """The versions (``3.12``) that the classifiers of a ``pyproject.toml`` name."""
    classifiers = tomllib.loads(pyproject)["project"]["classifiers"]
    return [match[1] for each in classifiers if (match := _CLASSIFIER.fullmatch(each))]


def find(version: str, variables: Mapping[str, str]) -> tuple[Path, str] | None:
    """An interpreter of that version which runs and can make environments, with its full version (``3.12.1``)."""
    for candidate in candidates(version, variables):
        # What stands on the PATH may be another tool's stand-in, which finds nothing either.
        asked = subprocess.run([candidate, "-c", _ASK], capture_output=True, text=True, check=False)
        full = asked.stdout.strip()
        if asked.returncode == 0 and full.startswith(f"{version}."):
            return candidate, full
    return None


def candidates(version: str, variables: Mapping[str, str]) -> Iterator[Path]:
    """What may be one, the best first."""
    on_path = shutil.which(f"python{version}", path=variables.get("PATH"))
    if on_path is not None:
        yield Path(on_path)
    home = Path(variables.get("HOME", "/"))
    pyenv = Path(variables.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(variables.get("UV_PYTHON_INSTALL_DIR") or home / ".local" / "share" / "uv" / "python")
    for folder, name in ((pyenv, f"{version}.*"), (uv, f"cpython-{version}.*")):
        yield from sorted(folder.glob(f"{name}/bin/python{version}"), key=patch, reverse=True)


def patch(interpreter: Path) -> int:
    """The last number of the version that a folder is named after."""
    found = re.search(r"\d+\.\d+\.(\d+)", interpreter.parts[-3])
    return int(found[1]) if found else -1


def environment(python: Path, version: str, full: str) -> Path:
    """The interpreter of an environment with what is locked, made where it is missing or of another lock."""
    folder = ENVIRONMENTS / version
    stamp, stated = folder / ".stamp", f"{full} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}"
    inside = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != stated:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        options = ["--disable-pip-version-check", "--no-input", "-qq", "--no-compile"]
        options += ["--require-hashes", "-r", str(LOCK)]
        subprocess.run([inside, "-m", "pip", "install", *options], check=True)
        stamp.write_text(stated, encoding="utf-8")
    return inside


def passes(python: Path) -> bool:
    """Whether the share of the tests passes."""
    tests = [f"tests/{folder}" for folder in SHARE]
    # Nothing that is kept between runs is shared with the main interpreter's.
    command = [str(python), "-m", "pytest", "--quick", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "src"}, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
