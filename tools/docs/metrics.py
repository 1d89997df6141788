"""The page of the metrics that a server tells."""

from __future__ import annotations

from resphere.metrics.families import Family, Kind
from resphere.server.metrics.families import FAMILIES

HEAD = """# Metrics

Everything that `/metrics` tells; [Observe it](observe.md) says who may read it, and what to do with it. Of several
workers any one tells of all. Labels have few values: never ids of objects, sessions or requests, nor names of users.

| Metric | Kind | Labels | What it is |
| --- | --- | --- | --- |
"""


def metrics_page() -> str:
    """All families, by name."""
    return HEAD + "".join(line(FAMILIES[name]) for name in sorted(FAMILIES))


def line(family: Family) -> str:
    """A row of the table."""
    name = f"{family.name}_total" if family.kind is Kind.COUNTER else family.name
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{name}` | {family.kind} | {labels} | {family.help} |\n"
