"""Medians and ratios."""

from __future__ import annotations

import pytest

from bench.stats import Comparison, Sample, Speed, compare, extra, speed


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


def costing(microseconds: float) -> Sample:
    return Sample(answers=10, seconds=1.0, cpu_seconds=microseconds / 1e5, client_seconds=0.1)


def test_what_costs_more_is_the_median_of_pairs_whatever_falls_on_some() -> None:
    pairs = [(costing(1000.0 + shared), costing(1010.0 + shared)) for shared in range(0, 3000, 30)]
    pairs += [(costing(1000.0), costing(9000.0))] * 3
    found = extra(pairs)
    assert found.microseconds == pytest.approx(10.0)
    assert [found.least, found.most] == pytest.approx([10.0, 10.0])


def test_where_the_median_lies_is_told() -> None:
    found = extra([(costing(1000.0), costing(1000.0 + each)) for each in range(101)])
    assert [found.microseconds, found.least, found.most] == pytest.approx([50.0, 40.0, 60.0])
    assert extra([(costing(1.0), costing(3.0))]).least == pytest.approx(2.0)
