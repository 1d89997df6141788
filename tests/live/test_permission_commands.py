"""``resphere role`` and ``resphere permission`` beside a running server, which shows what they do at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import add_user, resphere
from tests.support.saml import party
from tests.support.server import ADMINISTRATOR, Client, Server

ANN = "operator-ann@vsphere.local"


@pytest.fixture
def ann(shared_server: Server) -> Iterator[Client]:
    """Somebody who was given nothing yet."""
    add_user(shared_server.data_dir, ANN, "secret", "NoAccess")
    say(shared_server, "permission", "remove", "/", ANN)
    with shared_server.session(ANN, "secret") as client:
        yield client


def say(server: Server, *arguments: str) -> list[str]:
    """The lines that a command prints."""
    done = resphere(*arguments, "--data-dir", str(server.data_dir))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def refused(server: Server, *arguments: str) -> str:
    """What a command says that is refused."""
    done = resphere(*arguments, "--data-dir", str(server.data_dir))
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.removeprefix("resphere: ").removesuffix("\n")


def test_a_role_is_given_and_taken_while_the_server_runs(shared_server: Server, client: Client, ann: Client) -> None:
    vm, other, *_ = client.read("/api/vcenter/vm")
    path = client.read(f"/api/vcenter/inventory/objects/{vm['vm']}")["path"]
    [id] = say(shared_server, "role", "add", "Night", "VirtualMachine.Interact.Suspend", "--description", "at night")
    assert f"{id}\tNight\tuser\tat night" in say(shared_server, "role", "list")
    assert ann.read("/api/vcenter/vm") == []
    try:
        say(shared_server, "permission", "add", path, ANN, "Night")
        assert ann.read("/api/vcenter/vm") == [vm]
        assert ann.get(f"/api/vcenter/vm/{other['vm']}").status_code == 403
        assert say(shared_server, "permission", "list", vm["vm"]) == [f"{path}\t{ANN}\tNight\tpropagates"]
        assert refused(shared_server, "role", "remove", "Night").startswith("The role Night is given by permissions")
        say(shared_server, "role", "set", "night", "--rename", "Day", "--privileges", "VirtualMachine.Interact.Reset")
        assert "VirtualMachine.Interact.Reset" in say(shared_server, "role", "show", "Day")
        assert "VirtualMachine.Interact.Suspend" not in say(shared_server, "role", "show", "Day")
        say(shared_server, "permission", "remove", path, ANN)
        assert ann.read("/api/vcenter/vm") == []
        say(shared_server, "permission", "add", path, ANN, "Day", "--no-propagate")
    finally:
        say(shared_server, "role", "remove", "Day", "--force")
    assert ann.read("/api/vcenter/vm") == []
    assert say(shared_server, "permission", "list", vm["vm"]) == []


def test_global_permissions_of_groups(shared_server: Server) -> None:
    before = say(shared_server, "permission", "list", "global")
    assert before == ["global\tgroup Administrators@vsphere.local\tAdmin\tpropagates"]
    say(shared_server, "permission", "add", "global", "CAAdmins@vsphere.local", "ReadOnly", "--group")
    assert "global\tgroup CAAdmins@vsphere.local\tReadOnly\tpropagates" in say(shared_server, "permission", "list")
    say(shared_server, "permission", "remove", "global", "caadmins@VSPHERE.local", "--group")
    assert say(shared_server, "permission", "list", "global") == before


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("role", "show", "Readonli"), "there is no role Readonli; did you mean ReadOnly?"),
        (("role", "add", "Admin"), "There is a role of the name 'Admin' already."),
        (("role", "add", "x", "Folder.Creat"), "there is no privilege 'Folder.Creat'; did you mean Folder.Create?"),
        (("role", "set", "Admin", "--rename", "x"), "The role Admin is one of the system"),
        (("role", "remove", "NoAccess"), "The role NoAccess is one of the system"),
        (("permission", "add", "/", ADMINISTRATOR, "Nothing"), "there is no role Nothing"),
        (("permission", "add", "/", "x", "Anonymous"), "There is no role with the identifier '-4' that can be given."),
        (("permission", "add", "/nowhere", "x", "ReadOnly"), "there is no nowhere in /"),
        (("permission", "add", "vm-404", "x", "ReadOnly"), "there is no object vm-404; a path begins with a slash"),
        (("permission", "add", "/", " ", "ReadOnly"), "The principal"),
        (("permission", "add", "/", "nobody@vsphere.local", "ReadOnly"), "There is no user nobody@vsphere.local."),
        (("permission", "add", "/", "x@vsphere.local", "ReadOnly", "--group"), "There is no group x@vsphere.local."),
        (
            ("permission", "add", "/", "x@corp.example", "ReadOnly"),
            "There is no identity source for the domain corp.example of x@corp.example.",
        ),
        (("permission", "remove", "/", "nobody@x"), "there is no permission of nobody@x on /"),
        (("user", "remove", ADMINISTRATOR), "is built in: it cannot be removed"),
    ],
)
def test_refusals(shared_server: Server, command: tuple[str, ...], words: str) -> None:
    assert words in refused(shared_server, *command)


def test_somebody_keeps_the_role_admin_on_the_root_folder(tmp_path: Path) -> None:
    """On a server of its own: on the shared one others may have that role."""
    with Server(tmp_path / "data") as server:
        for command in (
            ("permission", "remove", "global", "Administrators@vsphere.local", "--group"),
            ("permission", "add", "/", ADMINISTRATOR, "NoAccess"),
        ):
            assert "Nobody would be left who has the role Admin on the root folder" in refused(server, *command)


def test_a_users_role_must_be_one(shared_server: Server) -> None:
    arguments = ("user", "add", "x@vsphere.local", "--role", "Root", "--data-dir", str(shared_server.data_dir))
    done = resphere(*arguments, input="secret\n")
    assert done.returncode == 1
    assert "there is no role Root to give; there are Admin, ReadOnly, NoAccess" in done.stderr


def test_with_a_removed_account_go_its_permissions(shared_server: Server) -> None:
    add_user(shared_server.data_dir, "leaving@vsphere.local", "secret", "ReadOnly")
    assert "/\tleaving@vsphere.local\tReadOnly\tpropagates" in say(shared_server, "permission", "list", "/")
    say(shared_server, "user", "remove", "leaving@vsphere.local")
    assert not [line for line in say(shared_server, "permission", "list") if "leaving" in line]


def test_with_a_deleted_group_go_its_permissions(shared_server: Server) -> None:
    say(shared_server, "group", "add", "Leavers@vsphere.local")
    say(shared_server, "permission", "add", "/", "Leavers@vsphere.local", "ReadOnly", "--group")
    assert "/\tgroup Leavers@vsphere.local\tReadOnly\tpropagates" in say(shared_server, "permission", "list", "/")
    say(shared_server, "group", "remove", "Leavers@vsphere.local")
    assert not [line for line in say(shared_server, "permission", "list") if "Leavers" in line]


def test_issuers_of_saml_tokens_are_trusted_by_a_file(shared_server: Server, tmp_path: Path) -> None:
    (tmp_path / "idp.pem").write_text(party("idp").certificate_pem)
    file = tmp_path / "trust.yaml"
    file.write_text("issuers:\n  - {name: idp, certificates: [idp.pem], domain: idp.example}\n")
    give = ("permission", "add", "global", "readers@idp.example", "ReadOnly", "--group")
    assert refused(shared_server, *give).startswith("There is no identity source for the domain idp.example")
    say(shared_server, *give, "--saml-trust", str(file))
    say(shared_server, "permission", "remove", "global", "readers@idp.example", "--group")
    assert "No such file" in refused(shared_server, *give, "--saml-trust", str(tmp_path / "none.yaml"))
