"""The page that is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.__main__ import main
from bench.report import render, table
from bench.result import Outcome, Row, at_least, at_most, below, told
from bench.rounds import Effort
from bench.stats import Speed


def test_figures_are_judged_as_they_are_and_not_as_they_are_shown() -> None:
    assert at_least("m", 0.846, 0.85).passed is False
    assert at_least("m", 0.8499, 0.85).result == "0.85"
    assert at_least("m", 0.8499, 0.85).passed is False
    assert at_least("m", 2000, 2000, "/s", 0).passed is True
    assert below("m", 1.5, 1.5).passed is False
    assert at_most("m", 6.0, 6.0).passed is True
    assert told("m", "x").passed is None


def test_a_table() -> None:
    assert table(("A", "B"), [("a|b", "c")]) == "| A | B |\n| --- | --- |\n| a\\|b | c |"


def test_the_page_says_what_falls_short() -> None:
    outcome = Outcome(
        (at_least("list", 0.5, 0.85), below("start", 1.0, 1.5, " s"), told("beside FastAPI", "9")),
        (Row("list", "resphere", Speed(1234.5, 56.78, 0.1, 0.5)),),
        ("A note.",),
    )
    page = render({"x": outcome}, {"Processor": "P"}, Effort(3, 0.5), datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert "2026-01-02 03:04 UTC" in page
    assert "1 of 2 targets reached. Short of theirs: list (0.50)." in page
    assert "| list | ≥ 0.85 | 0.50 | **falls short** |" in page
    assert "| start | < 1.5 s | 1.00 s | pass |" in page
    assert "| beside FastAPI |  | 9 |  |" in page
    assert "| list | resphere | 56.8 µs | 1,234/s | 10% | 50% |" in page
    assert "Medians of 3 rounds of 0.5 s" in page
    assert "- A note." in page
    assert "| Processor | P |" in page
    assert "$" not in page


def test_an_unknown_measure_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert "no such measure: nonsense" in capsys.readouterr().err
