"""The dashboard and the alerts: of metrics and labels that there are, and as Prometheus reads them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from resphere.metrics.families import Kind
from resphere.server.metrics.families import FAMILIES
from tools.dashboard.__main__ import PLACE, text
from tools.dashboard.document import dashboard

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text(encoding="utf-8"))
OF_PROMETHEUS = {"instance", "job", "le"}
"""Labels that metrics have besides their own."""

NAMES: dict[str, set[str]] = {}
for family in FAMILIES.values():
    if family.kind is Kind.HISTOGRAM:
        NAMES |= {f"{family.name}_{end}": set(family.labels) for end in ("bucket", "sum", "count")}
    else:
        NAMES[f"{family.name}_total" if family.kind is Kind.COUNTER else family.name] = set(family.labels)


def found(value: Any, key: str) -> Iterator[str]:
    """All texts under a key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key and isinstance(inner, str):
                yield inner
            else:
                yield from found(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from found(inner, key)


def expressions() -> list[str]:
    return [*found(RULES, "expr"), *found(dashboard(), "expr"), *found(dashboard(), "definition")]


@pytest.mark.parametrize("expression", expressions())
def test_each_metric_is_there_and_has_the_labels(expression: str) -> None:
    used = set(re.findall(r"resphere_\w+", expression))
    assert used <= set(NAMES)
    labels = OF_PROMETHEUS.union(*(NAMES[name] for name in used))
    matched = re.findall(r'(\w+)(?:=~|!~|!=|=)"', expression)
    grouped = [
        name for group in re.findall(r"\b(?:by|on|ignoring) \(([^)]*)\)", expression) for name in group.split(", ")
    ]
    assert used or expression.startswith("up{")
    assert {*matched, *grouped} - {""} <= labels


def test_every_metric_that_is_worth_it_is_shown() -> None:
    shown = " ".join(found(dashboard(), "expr"))
    left_out = {
        "resphere_build_info",
        "resphere_filesystem_size_bytes",
        "resphere_inventory_revision",
        "resphere_metrics_unplaced",
        "resphere_process_max_fds",
        "resphere_process_open_fds",
        "resphere_webhooks",
    }
    assert {name for name in FAMILIES if name not in shown} == left_out


def test_the_dashboard_is_as_it_is_made() -> None:
    assert PLACE.read_text(encoding="utf-8") == text(), "run `make docs`"
    panels = json.loads(text())["panels"]
    taken = [
        (column, line)
        for panel in panels
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for line in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24


def test_the_alerts_do_as_they_say(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool here (Debian: prometheus)")
    for arguments in (("check", "rules", "rules.yaml"), ("test", "rules", "rules.test.yaml")):
        checked = subprocess.run([promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    # The dashboard's expressions are checked as rules are.
    plain = [re.sub(r"\$__rate_interval|\$instance", "5m", each) for each in found(dashboard(), "expr")]
    rules = [{"record": f"panel_{number}", "expr": each} for number, each in enumerate(plain)]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    checked = subprocess.run(
        [promtool, "check", "rules", str(tmp_path / "panels.yaml")], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_says_what_to_do() -> None:
    for rule in RULES["groups"][0]["rules"]:
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in ("critical", "warning")
