"""What is told of known vulnerabilities."""

from __future__ import annotations

import msgspec

from tools.advisories import Report, told

REPORT = """{"dependencies": [
    {"name": "good", "version": "1.0", "vulns": []},
    {"name": "bad", "version": "2.0", "vulns": [
        {"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"], "aliases": [], "description": "x"},
        {"id": "PYSEC-2", "fix_versions": [], "aliases": [], "description": "y"}]},
    {"name": "unknown", "skip_reason": "not found"}
], "fixes": []}"""


def test_each_known_vulnerability_is_a_line() -> None:
    assert told(msgspec.json.decode(REPORT, type=Report)) == [
        "bad 2.0: PYSEC-1, mended in 2.1, 3.0",
        "bad 2.0: PYSEC-2, mended in no release yet",
    ]
