"""The context, for tests without pytest."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from resphere.testing import NotAnswered, VCenter, VCenterError
from tests.support.server import clean_environment

UNITTEST = """
import json, ssl, unittest, urllib.request
from resphere.testing import VCenter

def setUpModule():
    global vcenter
    vcenter = VCenter(arguments=["--vms", "3"]).start()
    unittest.addModuleCleanup(vcenter.stop)

class Machines(unittest.TestCase):
    def setUp(self):
        vcenter.restore()

    def test_list(self):
        request = urllib.request.Request(vcenter.url + "/api/vcenter/vm", headers=vcenter.headers)
        trusted = ssl.create_default_context(cafile=vcenter.ca_file)
        with urllib.request.urlopen(request, context=trusted) as reply:
            self.assertEqual(len(json.load(reply)), 3)

if __name__ == "__main__":
    unittest.main()
"""


def test_plain_unittest(tmp_path: Path) -> None:
    file = tmp_path / "test_machines.py"
    file.write_text(UNITTEST)
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(file)], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_from_its_start_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    vcenter = VCenter(arguments=["--vms", "4", "--durations", "none"], password="Secret-2026", folder=tmp_path)
    for early in (lambda: vcenter.url, lambda: vcenter.session(), lambda: vcenter.call("GET", "/api")):
        with pytest.raises(VCenterError, match="not started"):
            early()
    with vcenter:
        assert vcenter.is_running
        with pytest.raises(VCenterError, match="started already"):
            vcenter.start()
        machines = vcenter.call("GET", "/api/vcenter/vm")
        vcenter.call("PATCH", f"/api/vcenter/vm/{machines[0]['vm']}", {"name": "another"})
        with pytest.raises(NotAnswered) as refused:
            vcenter.call("GET", "/api/vcenter/vm/vm-4711")
        assert refused.value.status == 404
        # The own session may be ended by a test.
        for session in vcenter.call("GET", "/api/resphere/sessions"):
            vcenter.call("DELETE", f"/api/resphere/sessions/{session['session']}")
        vcenter.set_clock(datetime(2030, 1, 1, tzinfo=UTC), frozen=True)
        vcenter.advance_clock(timedelta(hours=1))
        assert vcenter.call("GET", "/api/resphere/clock")["time"] == "2030-01-01T01:00:00.000Z"
        # A bulk operation that goes on is canceled; an appliance that is away is waited for.
        item = {"operation": "com.vmware.vcenter.vm.power.reset", "input": {"vm": machines[0]["vm"]}}
        vcenter.call("POST", "/api/resphere/bulk", {"items": [item] * 200, "rate": 1.0})
        vcenter.call("POST", "/api/appliance/shutdown?action=reboot", {"delay": 0, "reason": "test"})
        vcenter.restore()
        assert vcenter.call("GET", "/api/vcenter/vm") == machines
        assert vcenter.call("GET", "/api/resphere/clock")["set"] is False
        url = f"{vcenter.url}/api/vcenter/vm"
        listed = requests.get(url, headers=vcenter.headers, verify=vcenter.ca_file, timeout=60)
        assert listed.json() == machines
        assert [each.operation for each in vcenter.calls] == ["com.vmware.vcenter.VM.list"]
    assert not vcenter.is_running
    assert (tmp_path / "data").exists()  # a folder that was given stays
    vcenter.stop()


def test_without_tls_there_is_nothing_to_trust(tmp_path: Path) -> None:
    with pytest.raises(VCenterError, match="--no-tls"):
        VCenter(arguments=["--no-tls"], folder=tmp_path).start()
