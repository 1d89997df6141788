"""A server with the provider ``processes``, its machines as they really are, and no machine left at the end."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from resphere.inventory.effects import Intent
from resphere.providers.processes.files import Machines
from resphere.replica.sealing import open_sealing
from resphere.server.assembly import open_replica
from resphere.store.engines import default_url, open_store
from tests.providers.processes.gates import VARIABLE
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until
from tests.support.vms import ON, state_of

GATED = "tests.providers.processes.gated"


class Site:
    """The server, a client of its present start, and the folder of its machines."""

    def __init__(self, server: Server, gates: Path) -> None:
        self.server = server
        self.gates = gates
        self.machines = Machines(server.data_dir / "machines")
        self.client = server.session()
        self._names = (f"machine-{number}" for number in itertools.count(1))
        self._place = place(self.client)

    def restart(self) -> None:
        """Start the server, which was killed, and log in again."""
        self.client.close()
        self.server.start()
        self.client = self.server.session()

    def new_name(self) -> str:
        """A name that nothing has had."""
        return next(self._names)

    def create(self, name: str) -> requests.Response:
        """The reply to the creation of a VM."""
        return self.client.post(
            "/api/vcenter/vm", json={"name": name, "guest_OS": "OTHER_64", "placement": self._place}
        )

    def new_vm(self) -> str:
        """The id of a new VM, which is off."""
        reply = self.create(self.new_name())
        assert reply.status_code == 201, reply.text
        vm: str = reply.json()
        return vm

    def named(self, name: str) -> list[dict[str, Any]]:
        """The VMs of that name."""
        listed: list[dict[str, Any]] = self.client.read("/api/vcenter/vm", params={"names": name})
        return listed

    def uuid(self, vm: str) -> str:
        """What the VM's machine is called."""
        uuid: str = self.client.read(f"/api/vcenter/vm/{vm}")["identity"]["bios_uuid"]
        return uuid

    def runs(self, vm: str) -> bool:
        """Whether a process is the machine."""
        return self.machines.process(self.uuid(vm)) is not None

    def tasks(self) -> dict[str, Any]:
        """All tasks."""
        reply = self.client.post("/api/cis/tasks?action=list", json={})
        assert reply.status_code == 200, reply.text
        listed: dict[str, Any] = reply.json()
        return listed

    def free_bytes(self) -> dict[str, int]:
        """What is free on each datastore."""
        return {each["datastore"]: each["free_space"] for each in self.client.read("/api/vcenter/datastore")}

    def require_truth(self) -> None:
        """Nothing is intended, and each VM is what its machine is."""
        assert not asyncio.run(intents(self.server.data_dir))
        listed = self.client.read("/api/vcenter/vm")
        uuids = {self.uuid(each["vm"]): each["vm"] for each in listed}
        assert set(uuids) == set(self.machines.all())
        for uuid, vm in uuids.items():
            assert (state_of(self.client, vm) == ON) == (self.machines.process(uuid) is not None), vm


async def intents(data_dir: Path) -> list[str]:
    """The ids of everything that is decided and not settled."""
    store = await open_store(default_url(data_dir))
    try:
        return list((await open_replica(store, await open_sealing(store, secrets.token_bytes))).all(Intent))
    finally:
        await store.close()


def place(client: Client) -> dict[str, str]:
    """Where VMs can be: a host, its datastore, and the folder of its datacenter."""
    host = client.read("/api/vcenter/host")[0]["host"]
    folder = client.read("/api/vcenter/folder", params={"type": "VIRTUAL_MACHINE"})[0]["folder"]
    return {"folder": folder, "host": host, "datastore": client.read("/api/vcenter/datastore")[0]["datastore"]}


@contextmanager
def site(folder: Path, module: str = GATED) -> Iterator[Site]:
    """A site of its own; its machines end with it."""
    gates = folder / "gates"
    gates.mkdir()
    server = Server(
        folder / "data",
        "--provider",
        "processes",
        WITHOUT_TLS,
        environment={VARIABLE: str(gates)},
        module=module,
    )
    try:
        with server:
            made = Site(server, gates)
            yield made
            made.client.close()
    finally:
        end_machines(folder / "data" / "machines")


def end_machines(folder: Path) -> None:
    """Kill every machine, and see it die."""
    machines = Machines(folder)
    uuids = [path.stem for path in folder.glob("*.machine")]
    wait_until(lambda: not any(machines.kill(uuid) for uuid in uuids), "the end of all machines")
