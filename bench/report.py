"""Writes ``RESULTS.md``: the figures as they came."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import ssl
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import distributions, version
from pathlib import Path
from string import Template

import msgspec

from bench.result import Outcome, Row, Verdict
from bench.rounds import Effort

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
TEMPLATE = HERE / "results.template.md"
PACKAGES = ("granian", "uvloop", "msgspec", "isal")


def render(outcomes: Mapping[str, Outcome], machine: Mapping[str, str], effort: Effort, measured: datetime) -> str:
    """The whole page."""
    verdicts = [verdict for outcome in outcomes.values() for verdict in outcome.verdicts]
    judged = [verdict for verdict in verdicts if verdict.passed is not None]
    short = [verdict for verdict in judged if not verdict.passed]
    summary = f"{len(judged) - len(short)} of {len(judged)} targets reached."
    if short:
        summary += " Short of theirs: " + "; ".join(f"{each.measure} ({each.result})" for each in short) + "."
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        measured=f"{measured:%Y-%m-%d %H:%M} UTC",
        summary=summary,
        machine=table(("", ""), machine.items()),
        verdicts=table(("Measure", "Target", "Result", ""), map(cells, verdicts)),
        rows=table(
            ("Request", "Server", "CPU each", "Answers", "Rounds differ by", "Client busy"),
            (figures(row) for outcome in outcomes.values() for row in outcome.rows),
        ),
        notes="\n".join(f"- {note}" for outcome in outcomes.values() for note in outcome.notes),
        rounds=effort.rounds,
        seconds=f"{effort.seconds:g}",
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def cells(verdict: Verdict) -> tuple[str, str, str, str]:
    """One judged line."""
    words = {True: "pass", False: "**falls short**", None: ""}
    return verdict.measure, verdict.target, verdict.result, words[verdict.passed]


def figures(row: Row) -> tuple[str, ...]:
    """One line of the figures behind."""
    speed = row.speed
    return (
        row.request,
        row.server,
        f"{speed.cpu_microseconds:,.1f} µs",
        f"{speed.per_second:,.0f}/s",
        f"{speed.spread:.0%}",
        f"{speed.client_busy:.0%}",
    )


def machine(fastapi: Path) -> dict[str, str]:
    """What was measured on; the load is that of the last minute before, by whomever."""
    return {
        "Processor": f"{processor()}, {os.cpu_count()} cores",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Load before": f"{os.getloadavg()[0]:.2f}",
        "Python": f"{platform.python_version()}, {ssl.OPENSSL_VERSION}, SQLite {sqlite3.sqlite_version}",
        "Server": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "Compared": ", ".join(f"{found.name} {found.version}" for found in compared(fastapi)),
    }


class Version(msgspec.Struct, frozen=True):
    """A package's name and version."""

    name: str
    version: str


def compared(fastapi: Path) -> list[Version]:
    """FastAPI and what it stands on."""
    wanted = {"fastapi", "starlette", "pydantic"}
    found = (Version(each.metadata["Name"], each.version) for each in distributions(path=[str(fastapi)]))
    return sorted((each for each in found if each.name in wanted), key=lambda each: each.name)


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name."""
    found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or sys.platform
