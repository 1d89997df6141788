"""Medians and ratios."""

from __future__ import annotations

import pytest

from bench.stats import Comparison, Sample, Speed, compare, speed


def test_medians_of_rounds() -> None:
    found = speed([Sample(100, 1.0, 0.01, 0.5), Sample(400, 2.0, 0.02, 0.5), Sample(100, 1.0, 0.02, 0.1)])
    assert found.per_second == 100
    assert found.cpu_microseconds == pytest.approx(100)
    assert found.spread == pytest.approx(1.5)
    assert found.client_busy == pytest.approx(0.25)


def test_more_is_better_both_ways() -> None:
    one, other = Speed(50, 40, 0, 0), Speed(100, 20, 0, 0)
    assert compare(one, other) == Comparison(cpu=0.5, throughput=0.5)
    assert compare(other, one) == Comparison(cpu=2, throughput=2)
