"""Data directories that servers of earlier forms have left, made of what is kept of them.

``kept/1-*`` were left by releases before forms had numbers, of the day that they are called by; ``kept/<number>`` by
the first of that form, which was killed while it worked. ``make forms`` makes those, see ``tools/forms``.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tools.forms.dump import bodies, load, overwrite
from tools.forms.fill import LARGE
from tools.forms.make import KEY

KEPT = Path(__file__).parent / "kept"
NAMES = sorted(folder.name for folder in KEPT.iterdir())


def number_of(name: str) -> int:
    """The number of the form that is kept under this name."""
    return int(name.partition("-")[0])


def place(name: str, data_dir: Path) -> Path:
    """Make the data directory."""
    data_dir.mkdir(mode=0o700)
    load((KEPT / name / "data.sql").read_text(), data_dir / "resphere.db")
    if (KEPT / name / KEY).exists():
        (data_dir / KEY).write_bytes((KEPT / name / KEY).read_bytes())
        (data_dir / KEY).chmod(0o600)
    # All large files have the same content.
    (data_dir / "guest-files").mkdir()
    for content in documents(data_dir, "guest_content"):
        if content.get("file"):
            (data_dir / "guest-files" / str(content["file"])).write_bytes(LARGE)
    (data_dir / "library-files").mkdir()
    for kind in ("content_library_item", "content_download_session"):
        for document in documents(data_dir, kind):
            for file in document.get("files", ()):  # type: ignore[attr-defined]
                (data_dir / "library-files" / file["content"]).write_bytes(LARGE)
    return data_dir


def documents(data_dir: Path, kind: str) -> list[dict[str, object]]:
    """The plain documents of a kind."""
    return [msgspec.json.decode(body) for body in bodies(data_dir / "resphere.db", kind)]


def write(data_dir: Path, kind: str, body: str) -> None:
    """Have all documents of a kind be ``body``, whatever a store thinks of that."""
    overwrite(data_dir / "resphere.db", kind, body)
