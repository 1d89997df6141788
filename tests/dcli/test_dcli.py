"""dcli finds out what there is to do from the server, before anybody logs in, and does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dcli.dcli import DCLI, INTERRUPT, Dcli, Failed
from tests.support.server import ADMINISTRATOR, PASSWORD, Server

pytestmark = pytest.mark.skipif(not DCLI.exists(), reason="dcli is not in .cache/dcli; `make dcli` fetches it")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("dcli") / "data", "--vms", "30") as server:
        yield server


@pytest.fixture
def dcli(server: Server, tmp_path: Path) -> Dcli:
    return Dcli(server, tmp_path)


def test_a_list_is_what_the_api_says(server: Server, dcli: Dcli) -> None:
    listed = json.loads(dcli.logged_in("com", "vmware", "vcenter", "vm", "list", "+formatter", "json"))
    with server.session() as client:
        assert listed == client.get("/api/vcenter/vm").json()


def test_a_list_is_shown_as_a_table_and_filtered_by_several_values(dcli: Dcli) -> None:
    shown = dcli.logged_in("com", "vmware", "vcenter", "vm", "list", "--power-states", "POWERED_OFF")
    assert "|power_state|" in shown
    assert "POWERED_OFF" in shown
    assert "POWERED_ON" not in shown


def test_a_vm_is_made_changed_and_deleted(server: Server, dcli: Dcli) -> None:
    with server.session() as client:
        folder = client.get("/api/vcenter/folder?type=VIRTUAL_MACHINE").json()[0]["folder"]
        pool = client.get("/api/vcenter/resource-pool").json()[0]["resource_pool"]
        datastore = next(d["datastore"] for d in client.get("/api/vcenter/datastore").json() if "VMFS" in d["name"])
        made = dcli.logged_in(
            *("com", "vmware", "vcenter", "vm", "create", "--guest-os", "UBUNTU_64", "--name", "by-dcli"),
            *("--placement-folder", folder, "--placement-resource-pool", pool, "--placement-datastore", datastore),
            *("--memory-size-mib", "2048", "--disks", '[{"new_vmdk": {"capacity": 1073741824}}]'),
        ).strip()
        vm = client.get(f"/api/vcenter/vm/{made}").json()
        assert (vm["name"], vm["guest_OS"], vm["memory"]["size_MiB"]) == ("by-dcli", "UBUNTU_64", 2048)
        assert [disk["capacity"] for disk in vm["disks"].values()] == [1073741824]
        dcli.logged_in("com", "vmware", "vcenter", "vm", "hardware", "cpu", "update", "--vm", made, "--count", "4")
        assert client.get(f"/api/vcenter/vm/{made}/hardware/cpu").json()["count"] == 4
        dcli.logged_in("com", "vmware", "vcenter", "vm", "delete", "--vm", made)
        assert client.get(f"/api/vcenter/vm/{made}").status_code == 404


def test_ours_are_commands_too(server: Server, dcli: Dcli) -> None:
    with server.session() as client:
        folder = client.get("/api/vcenter/folder?type=VIRTUAL_MACHINE").json()[0]["folder"]
        made = dcli.logged_in(
            "resphere",
            "vcenter",
            "folder",
            "create",
            "--parent",
            folder,
            "--name",
            "by-dcli",
        ).strip()
        named = client.get("/api/vcenter/folder?names=by-dcli").json()
        assert [each["folder"] for each in named] == [made]


def test_namespaces_and_help_are_shown(dcli: Dcli) -> None:
    """dcli counts both as commands that failed."""
    with pytest.raises(Failed, match=r"(?s)hardware.*Available Commands"):
        dcli.logged_in("com", "vmware", "vcenter", "vm")
    with pytest.raises(Failed, match=r"--power-states {POWERED_OFF,POWERED_ON,SUSPENDED}"):
        dcli.logged_in("com", "vmware", "vcenter", "vm", "list", "--help")


def test_unreleased_apis_may_be_asked_for(dcli: Dcli) -> None:
    shown = dcli.logged_in("+show-unreleased-apis", "com", "vmware", "vcenter", "datacenter", "list")
    assert "datacenter" in shown


def test_everything_may_be_made_of_the_metamodel_alone(dcli: Dcli) -> None:
    shown = dcli.logged_in("+use-metamodel-metadata-only", "com", "vmware", "vcenter", "datacenter", "list")
    assert "datacenter" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("com", "vmware", "vcenter", "vm", "get", "--vm", "vm-999999"), "com.vmware.vapi.std.errors.NotFound"),
        (("com", "vmware", "vcenter", "nothing", "list"), "Unknown command"),
        (("com", "vmware", "vcenter", "vm", "create", "--guest-os", "DOOS"), "invalid choice"),
    ],
)
def test_refusals_are_told(dcli: Dcli, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(Failed, match=words):
        dcli.logged_in(*arguments)


def test_a_wrong_password_is_refused(dcli: Dcli) -> None:
    with pytest.raises(Failed, match=r"(?i)invalid credentials|unauthenticated|unable to authenticate"):
        dcli.run("+username", ADMINISTRATOR, "+password", "wrong", "com", "vmware", "vcenter", "vm", "list")


def test_credentials_are_stored_used_and_removed(dcli: Dcli) -> None:
    dcli.logged_in("+credstore-add", "com", "vmware", "cis", "session", "get")
    assert ADMINISTRATOR in dcli.run("+credstore-list")
    assert "datacenter" in dcli.run("com", "vmware", "vcenter", "datacenter", "list")
    for manager in ("com.vmware.cis.session", ""):
        dcli.run("+credstore-remove", "+username", ADMINISTRATOR, "+session-manager", manager)
    assert ADMINISTRATOR not in dcli.run("+credstore-list")


def test_the_shell_completes_and_logs_in_when_it_must(dcli: Dcli) -> None:
    with dcli.shell() as shell:
        shell.wait_for("dcli> ")
        shell.type("com vmware vcenter data\t")
        shown = shell.wait_for("datastore")
        assert "datacenter" in shown
        shell.type(INTERRUPT)
        shell.wait_for("dcli> ")
        shell.type("com vmware vcenter vm list --na\t")
        shell.wait_for("--names")
        shell.type(INTERRUPT)
        shell.wait_for("dcli> ")
        shell.type("com vmware vcenter cluster list +formatter json\r")
        shell.wait_for("Username")
        shell.type(f"{ADMINISTRATOR}\r")
        shell.wait_for("Password")
        shell.type(f"{PASSWORD}\r")
        shell.wait_for("save credentials")
        shell.type("n\r")
        assert '"cluster"' in shell.wait_for("drs_enabled")
        shell.wait_for("dcli> ")
        shell.type("exit\r")
