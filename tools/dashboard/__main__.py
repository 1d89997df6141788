"""``python -m tools.dashboard``: write the dashboard anew."""

from __future__ import annotations

import json
from pathlib import Path

from tools.dashboard.document import dashboard

PLACE = Path(__file__).parents[2] / "deploy" / "grafana" / "resphere.json"


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=1) + "\n"


def main() -> None:
    PLACE.write_text(text(), encoding="utf-8")
    print("deploy/grafana/resphere.json")


if __name__ == "__main__":
    main()
