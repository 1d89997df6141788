"""A vCenter that is asked: one of ours, filled by a seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.cli.main import main
from resphere.client import Client
from resphere.contract.errors import NotFound, UnableToAllocateResource, message
from resphere.contract.generated import vcenter
from resphere.importing.reading import read_server
from resphere.importing.report import ImportFault, Report
from resphere.importing.writing.sheets import Inventory
from resphere.inventory.model import Cluster, Datastore, Host, Network, ResourcePool, VirtualMachine
from resphere.replica.table import Stored
from resphere.server.exports.file import parse_file
from tests.live.conftest import shared_server
from tests.support.exports import export
from tests.support.server import ADMINISTRATOR, PASSWORD, Server

__all__ = ["shared_server"]


@pytest.fixture
def client(shared_server: Server) -> Iterator[Client]:
    with Client(shared_server.url, user=ADMINISTRATOR, password=PASSWORD, ca_file=shared_server.ca) as client:
        yield client


def test_what_a_vcenter_tells(client: Client, shared_server: Server) -> None:
    before = Inventory(parse_file(export(shared_server), "it"))
    report = Report("it")
    after = Inventory(read_server(client, report))
    for kind in (Host, Cluster, ResourcePool, Datastore, Network):
        assert {(item.id, item.name) for item in after.of(kind)} == {(item.id, item.name) for item in before.of(kind)}
    machines = [vm for vm in before.of(VirtualMachine) if not vm.template]
    assert {vm.id for vm in after.of(VirtualMachine)} == {vm.id for vm in machines}
    for vm in machines:
        other = after.get(VirtualMachine, vm.id)
        assert other is not None
        assert after.path(other.parent) == before.path(vm.parent)
        assert after.pool_path(other.resource_pool) == before.pool_path(vm.resource_pool)
        fields = ("name", "guest_OS", "power_state", "host", "cpu", "memory", "disks", "scsi_adapters", "nvme_adapters")
        for field in (*fields, "bios_uuid", "instance_uuid", "hardware", "boot", "tools"):
            assert getattr(other, field) == getattr(vm, field), (vm.id, field)
        macs = [[nic.mac_address for nic in each.nics.values()] for each in (vm, other)]
        assert macs[0] == macs[1]
    assert any("snapshots" in remark.what for remark in report.leavings)


class Going:
    """A client of a vCenter whose first machine goes while it is read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.gone: str | None = None

    def call(self, operation: Any, input: Any = None, /, **values: Any) -> Any:
        if operation is vcenter.VM.get:
            self.gone = self.gone or values["vm"]
            if values["vm"] == self.gone:
                raise NotFound(message("x", "gone"))
        return self._client.call(operation, input, **values)


def test_a_machine_that_goes_meanwhile(client: Client) -> None:
    going, report = Going(client), Report("it")
    documents: tuple[Stored, ...] = read_server(going, report)
    assert going.gone not in {item.id for item in documents}
    assert any("went while" in remark.what for remark in report.leavings)


class Bounded:
    """A client of a vCenter with more machines than it lists at once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.refused = 0

    def call(self, operation: Any, input: Any = None, /, **values: Any) -> Any:
        if operation is vcenter.VM.list and "hosts" not in input["filter"]:
            self.refused += 1
            raise UnableToAllocateResource(message("x", "too many"))
        return self._client.call(operation, input, **values)


def test_more_machines_than_are_listed_at_once(client: Client) -> None:
    bounded = Bounded(client)
    assert read_server(bounded, Report("it")) == read_server(client, Report("it"))
    assert bounded.refused


def test_by_the_command_line(shared_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    who = ["--user", ADMINISTRATOR, "--password-file", str(secret)]
    command = ["inventory", "import", shared_server.url, str(tmp_path / "it.yaml"), *who]
    assert main([*command, "--ca-file", str(shared_server.ca)]) == 0
    assert "resphere: made: 1 datacenter" in capsys.readouterr().err
    assert main(command) == 1
    assert "certificate" in capsys.readouterr().err
    secret.write_text("wrong\n", encoding="utf-8")
    assert main([*command, "--ca-file", str(shared_server.ca)]) == 1
    assert capsys.readouterr().err.startswith(f"resphere: {shared_server.url}: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["https://127.0.0.1:1"], "--user: https://127.0.0.1:1 needs to know who asks"),
        (["https://127.0.0.1:1", "--user", "a"], "--password-file: names the file"),
        (["https://127.0.0.1:1", "--form", "yaml"], "are for files, and a vCenter is asked itself"),
        (["book.xlsx", "--user", "a"], "are for a vCenter, https://..."),
    ],
)
def test_calls_that_are_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inventory", "import", *arguments]) == 1
    assert words in capsys.readouterr().err


def test_a_server_that_does_not_answer() -> None:
    with (
        Client("https://127.0.0.1:1", user="a", password="b", retries=0) as client,
        pytest.raises(ImportFault) as fault,
    ):
        read_server(client, Report("https://127.0.0.1:1"))
    assert "127.0.0.1:1" in str(fault.value)
