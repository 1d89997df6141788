"""VMware's own controllers find what is not as it should be, mend it, and find it as it should be."""

from __future__ import annotations

import hashlib
import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment

HERE = Path(__file__).parent
PYTHON = HERE.parents[1] / ".cache" / "compliance" / "venv" / "bin" / "python"
DESIRED: dict[str, dict[str, Any]] = {
    "ntp": {"servers": ["192.0.2.1"], "mode": "NTP"},
    "dns": {"servers": ["192.0.2.53"], "mode": "is_static"},
    "syslog": {"servers": [{"hostname": "192.0.2.9", "port": 514, "protocol": "TLS"}]},
    "backups": {
        "backup_schedule_name": "DailyBackup",
        "enable_backup_schedule": True,
        "backup_location_url": "sftp://192.0.2.5/root/backups",
        "backup_server_username": "root",
        "backup_server_password": "Sec-ret-1",
        "backup_encryption_password": "Keeps-1-Thing",
        "backup_parts": ["seat", "common"],
        "recurrence_info": {"recurrence_type": "DAILY", "hour": 1, "minute": 0},
        "retention_info": {"max_count": 5},
    },
}
METHODS = ("check_compliance", "remediate", "check_compliance")
BOTH, MODERN = {"global": ["TLSv1.2", "TLSv1.3"]}, {"global": ["TLSv1.3"]}

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="VMware's controllers are not in .cache/compliance; `make compliance` fetches them"
)


def take(server: Server, steps: list[tuple[str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What the controllers say of each step."""
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", server.port)))
    given = {
        "server": f"127.0.0.1:{server.port}",
        "user": ADMINISTRATOR,
        "password": PASSWORD,
        "thumbprint": hashlib.sha256(certificate).hexdigest(),
        "steps": steps,
    }
    done = subprocess.run(
        [PYTHON, HERE / "controllers.py"],
        env=clean_environment(),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes: list[dict[str, Any]] = json.loads(done.stdout)
    return outcomes


def test_controllers_audit_and_remediate(tmp_path: Path) -> None:
    steps = [(name, method, desired) for name, desired in DESIRED.items() for method in METHODS]
    with Server(tmp_path / "data", "--vms", "1") as server:
        outcomes = take(server, [*steps, ("tls", METHODS[0], BOTH), ("tls", METHODS[0], MODERN)])
    told = [each["status"] for each in outcomes]
    assert told == ["NON_COMPLIANT", "SUCCESS", "COMPLIANT"] * len(DESIRED) + ["COMPLIANT", "NON_COMPLIANT"], outcomes
