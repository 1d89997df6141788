"""``python -m tools.client``: write the stubs of the clients anew."""

from __future__ import annotations

from pathlib import Path

from tools.client.stubs import stubs

FOLDER = Path(__file__).parents[2] / "src/resphere/client/generated"


def main() -> None:
    for name, text in stubs().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"src/resphere/client/generated/{name}")


if __name__ == "__main__":
    main()
