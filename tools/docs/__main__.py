"""``python -m tools.docs``: write anew what tells of the code: generated pages, the pieces of OpenAPI documents."""

from __future__ import annotations

from pathlib import Path

from resphere import services
from resphere.contract.openapi import FILE
from resphere.services.registry import load
from tools.docs.pages import pages
from tools.openapi.pieces import pieces_of

ROOT = Path(__file__).parents[2]


def main() -> None:
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")
    FILE.write_bytes(b"".join(pieces_of(load(services)).lines()))
    print(FILE.relative_to(ROOT))


if __name__ == "__main__":
    main()
