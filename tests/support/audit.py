"""The audit log of a server, as tests read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from resphere.audit.files import log_files
from resphere.audit.record import AuditRecord
from resphere.audit.signing import PUBLIC_KEYS, PublicKeys
from resphere.audit.verify import Finding, Verification


def records(data_dir: Path) -> list[dict[str, Any]]:
    """All records, chain by chain, without the anchors; what does not apply is ``None``."""
    unset = dict.fromkeys(AuditRecord.__struct_fields__)
    found: list[dict[str, Any]] = []
    for file in log_files(data_dir / "log"):
        lines = [json.loads(line) for line in file.path.read_text(encoding="ascii").splitlines()]
        found += [{**unset, **line} for line in lines if "anchor" not in line]
    return found


def findings(data_dir: Path) -> list[Finding]:
    """What its verification finds."""
    keys = PublicKeys.read(data_dir / "audit" / PUBLIC_KEYS)
    return list(Verification(data_dir / "log", keys, data_dir / "audit").run())
