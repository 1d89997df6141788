"""What is told to Prometheus, read by the library's own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from resphere.metrics.exposition import text
from resphere.metrics.families import Family, Kind, Sample, one

COUNTED = Family("things", "Things.", Kind.COUNTER, ("colour",))
LEVEL = Family("level", "How high it stands.", Kind.GAUGE)
WAITS = Family("waits_seconds", "Waits.", Kind.HISTOGRAM, ("of",), (0.1, 1.0))


def test_families_stand_together_by_their_names() -> None:
    written = text(
        [one(COUNTED, 2, "red"), one(LEVEL, -1.5), Sample(WAITS, ("a",), (8.5, 1, 0, 3)), one(COUNTED, 1, 'b"\\\n')]
    )
    families = {family.name: family for family in text_string_to_metric_families(written.decode())}
    assert list(families) == ["level", "things", "waits_seconds"]
    assert {sample.labels["colour"]: sample.value for sample in families["things"].samples} == {'b"\\\n': 1, "red": 2}
    assert {sample.name for sample in families["things"].samples} == {"things_total"}
    assert [(s.name, s.labels.get("le"), s.value) for s in families["waits_seconds"].samples] == [
        ("waits_seconds_bucket", "0.1", 1),
        ("waits_seconds_bucket", "1", 1),
        ("waits_seconds_bucket", "+Inf", 4),
        ("waits_seconds_count", None, 4),
        ("waits_seconds_sum", None, 8.5),
    ]
