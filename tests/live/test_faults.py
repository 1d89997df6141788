"""Faults and delays on demand, as people who test clients need them."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.server import Server
from tests.support.vms import OFF, ON, act, any_vm, refusal, state_of, words

RULES = """
seed: 1
rules:
  - operation: com.vmware.vcenter.vm.power.start
    error: SERVICE_UNAVAILABLE
    message: The host is busy.
    times: 2
  - operation: com.vmware.vcenter.datacenter.*
    error: RESOURCE_BUSY
  - operation: com.vmware.vcenter.cluster.list
    latency_seconds: 0.3
  - operation: com.vmware.vcenter.network.list
    error: UNABLE_TO_ALLOCATE_RESOURCE
    rate: 0.5
  - operation: com.vmware.vcenter.folder.list
    error: NOT_FOUND
    rate: 0
"""


def test_faults_as_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(RULES)
    with Server(tmp_path / "data", "--faults", str(file)) as server, server.session() as client:
        vm = any_vm(client, ON)
        assert act(client, vm, "stop").status_code == 204
        for _ in range(2):
            reply = act(client, vm, "start")
            assert refusal(reply) == (503, "SERVICE_UNAVAILABLE", "resphere.fault_injected")
            assert words(reply) == "The host is busy."
            assert state_of(client, vm) == OFF
        assert act(client, vm, "start").status_code == 204
        for path in ("datacenter", "datacenter/datacenter-2"):
            assert refusal(client.get(f"/api/vcenter/{path}")) == (500, "RESOURCE_BUSY", "resphere.fault_injected")
        before = time.monotonic()
        assert client.get("/api/vcenter/cluster").status_code == 200
        assert time.monotonic() - before >= 0.3
        statuses = [client.get("/api/vcenter/network").status_code for _ in range(40)]
        assert 5 < statuses.count(500) < 35
        assert statuses.count(200) + statuses.count(500) == 40
        assert client.get("/api/vcenter/folder").status_code == 200
        # Replies are not kept meanwhile: they would hide the faults.
        assert "ETag" not in client.get("/api/vcenter/vm").headers
