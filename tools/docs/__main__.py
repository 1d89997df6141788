"""``python -m tools.docs``: write the generated pages anew."""

from __future__ import annotations

from pathlib import Path

from tools.docs.pages import pages

ROOT = Path(__file__).parents[2]


def main() -> None:
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
