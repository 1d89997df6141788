"""Passwords that a server is given to keep are in no file of its data directory."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from resphere.inventory.customization import CustomizationItem
from resphere.store.base import Transaction, Write
from resphere.store.engines import default_url, open_store
from tests.live.test_guest import linux_vm
from tests.support.customizations import linux, windows
from tests.support.server import Client, Server
from tests.support.vms import bring

SPECS = "/api/vcenter/guest/customization-specs"
PASSWORD = "an unusual passphrase to be found"
SCRIPT = "#!/bin/sh\necho an unusual script to be found"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2") as server:
        yield server


def holding(server: Server, *texts: str) -> set[str]:
    """The files of the data directory that hold one of the texts as they are, in JSON or on the wire."""
    wanted = [form for text in texts for form in (text.encode(), msgspec.json.encode(text)[1:-1])]
    files = (file for file in server.data_dir.rglob("*") if file.is_file())
    return {file.name for file in files if any(form in file.read_bytes() for form in wanted)}


def keep(client: Client) -> str:
    """Keep a specification with passwords, and have another wait for a VM's start; returns the VM."""
    spec = msgspec.to_builtins(windows(PASSWORD))
    made = client.post(SPECS, json={"name": "win", "description": "kept", "spec": spec})
    assert made.status_code == 201, made.text
    vm = linux_vm(client)
    bring(client, vm, "POWERED_OFF")
    waits = {"spec": msgspec.to_builtins(linux(script_text=SCRIPT))}
    put = client.put(f"/api/vcenter/vm/{vm}/guest/customization", json=waits)
    assert put.status_code == 204, put.text
    return vm


def kept_password(client: Client) -> str:
    spec = client.read(f"{SPECS}/win")["spec"]["spec"]
    password: str = spec["configuration_spec"]["windows_config"]["sysprep"]["gui_unattended"]["password"]
    return password


def test_no_file_holds_a_password(server: Server) -> None:
    with server.session() as client:
        vm = keep(client)
        assert holding(server, PASSWORD, SCRIPT) == set()
        assert kept_password(client) == PASSWORD
        changed = client.read(f"{SPECS}/win")["spec"] | {"description": "changed"}
        assert client.put(f"{SPECS}/win", json=changed).status_code == 204
    server.kill()
    assert holding(server, PASSWORD, SCRIPT) == set()
    with server, server.session() as client:
        assert kept_password(client) == PASSWORD
        bring(client, vm, "POWERED_ON")
        assert client.read(f"/api/vcenter/vm/{vm}/guest/customization")["status"] == "SUCCEEDED"
        assert client.delete(f"{SPECS}/win").status_code == 204
    assert holding(server, PASSWORD, SCRIPT) == set()


def test_the_key_is_its_owner_s(server: Server) -> None:
    key = server.data_dir / "secrets.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    server.stop()
    with server:
        assert key.read_bytes() == before


def test_another_key_is_told(server: Server) -> None:
    with server.session() as client:
        keep(client)
    server.stop()
    key = server.data_dir / "secrets.key"
    right = key.read_text()
    for wrong, words in (("0" * 64, "the key of secrets is not the one"), ("short", "holds no key")):
        key.write_text(wrong)
        with pytest.raises(RuntimeError, match=words):
            server.start()
    key.write_text(right)
    with server, server.session() as client:
        assert kept_password(client) == PASSWORD


def test_what_an_earlier_release_has_kept_plain(server: Server) -> None:
    with server.session() as client:
        keep(client)
        item = client.read(f"{SPECS}/win")
    server.stop()
    plain = CustomizationItem(
        id="win",
        description="kept",
        spec=windows(PASSWORD),
        fingerprint=item["spec"]["fingerprint"],
        last_modified=msgspec.convert(item["last_modified"], datetime),
    )

    async def write() -> None:
        store = await open_store(default_url(server.data_dir))
        try:
            await store.commit(Transaction((Write(plain.kind, plain.id, msgspec.json.encode(plain)),)))
        finally:
            await store.close()

    asyncio.run(write())
    assert holding(server, PASSWORD) == {"resphere.db"}
    with server, server.session() as client:
        assert holding(server, PASSWORD) == set()
        assert kept_password(client) == PASSWORD
