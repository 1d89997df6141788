"""Lists refuse to be longer than vCenter's, unless told otherwise."""

from __future__ import annotations

from pathlib import Path

from tests.support.server import Server
from tests.support.vms import refusal, words

# About one VM in twenty is a template, which lists leave out.
VMS = 4300
STATES = ("POWERED_ON", "POWERED_OFF", "SUSPENDED")


def test_more_vms_than_one_list_may_return(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--hosts", "40", "--vms", str(VMS)) as server, server.session() as client:
        reply = client.get("/api/vcenter/vm")
        assert refusal(reply) == (500, "UNABLE_TO_ALLOCATE_RESOURCE", "com.vmware.api.vcenter.vm.too_many_matches")
        assert "4000" in words(reply)
        counts = [len(client.read("/api/vcenter/vm", params={"power_states": state})) for state in STATES]
        assert sum(counts) > 4000
    with Server(tmp_path / "data", "--no-list-limits") as server, server.session() as client:
        assert len(client.read("/api/vcenter/vm")) == sum(counts)
