"""The inventory as a file: written beside a running server, read by another."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import add_user, resphere
from tests.support.exports import export
from tests.support.server import Server
from tests.support.vms import OFF, ON, any_vm, bring

LISTS = ("vm", "host", "cluster", "datacenter", "datastore", "folder", "network", "resource-pool")


def test_a_server_from_an_export_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    with Server(tmp_path / "one") as one, one.session() as client:
        vm = any_vm(client, OFF)
        client.post(f"/api/vcenter/vm/{vm}/snapshot", json={"name": "Größe", "description": "a: b # c"})
        bring(client, vm, ON)
        done = resphere("inventory", "export", str(file), "--data-dir", str(one.data_dir))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert file.stat().st_mode & 0o077
        assert resphere("inventory", "export", "--data-dir", str(one.data_dir)).stdout == file.read_text("utf-8")
        with Server(tmp_path / "two", "--inventory", str(file)) as two, two.session() as other:
            assert export(two) == file.read_text("utf-8")
            for name in LISTS:
                assert other.read(f"/api/vcenter/{name}") == client.read(f"/api/vcenter/{name}")
            for path in (f"/api/vcenter/vm/{vm}", f"/api/vcenter/vm/{vm}/snapshot"):
                assert other.read(path) == client.read(path)
            # And it goes on: new objects get ids that nothing has.
            made = other.post(f"/api/vcenter/vm/{vm}/snapshot", json={"name": "next"}).json()
            assert len({row["snapshot"] for row in other.read(f"/api/vcenter/vm/{vm}/snapshot")}) == 2
            assert made in other.read(f"/api/vcenter/vm/{vm}/snapshot")[-1].values()


PASSWORD = "S3cret of the domain"
WINDOWS = {
    "configuration_spec": {
        "windows_config": {
            "reboot": "REBOOT",
            "sysprep": {
                "user_data": {
                    "computer_name": {"type": "VIRTUAL_MACHINE"},
                    "full_name": "A User",
                    "organization": "An Organization",
                    "product_key": "",
                },
                "domain": {
                    "type": "DOMAIN",
                    "domain": "example.org",
                    "domain_username": "joiner",
                    "domain_password": PASSWORD,
                },
                "gui_unattended": {"auto_logon": False, "auto_logon_count": 0, "time_zone": 85},
            },
        }
    },
    "global_DNS_settings": {},
    "interfaces": [],
}


def test_what_belongs_to_objects_comes_along(tmp_path: Path) -> None:
    file, private = tmp_path / "inventory.yaml", tmp_path / "private.yaml"
    private.touch(mode=0o644)
    with Server(tmp_path / "one") as one, one.session() as client:
        vm = any_vm(client, OFF)
        category = {"name": "env", "description": "", "cardinality": "SINGLE", "associable_types": []}
        made = client.post("/api/cis/tagging/category", json=category).json()
        tag = client.post("/api/cis/tagging/tag", json={"name": "prod", "description": "", "category_id": made}).json()
        target = {"object_id": {"type": "VirtualMachine", "id": vm}}
        assert client.post(f"/api/cis/tagging/tag-association/{tag}?action=attach", json=target).status_code == 204
        spec = {"name": "joined", "description": "", "spec": WINDOWS}
        assert client.post("/api/vcenter/guest/customization-specs", json=spec).status_code == 201
        policy = client.post("/api/vcenter/storage/policies", json={"name": "fast", "tags": [tag]}).json()
        add_user(one.data_dir, "auditor@vsphere.local", "Some-password-1", "ReadOnly")

        done = resphere("inventory", "export", str(file), "--data-dir", str(one.data_dir))
        assert done.returncode == 0
        assert done.stderr == (
            "resphere: left out: accounts (1): who may log in is the server's own: resphere user add makes them there\n"
            "resphere: left out: permissions (1): whoever has them logs in at the server: "
            "resphere permission add sets them there\n"
        )
        done = resphere("inventory", "export", "--passwords", str(private), "--data-dir", str(one.data_dir))
        assert done.returncode == 0
        assert private.stat().st_mode & 0o077 == 0
        assert (PASSWORD in file.read_text("utf-8"), PASSWORD in private.read_text("utf-8")) == (False, True)
        with Server(tmp_path / "two", "--inventory", str(private)) as two, two.session() as other:
            assert export(two) == file.read_text("utf-8")
            for path in (
                f"/api/cis/tagging/category/{made}",
                f"/api/cis/tagging/tag/{tag}",
                "/api/vcenter/tagging/associations",
                "/api/vcenter/storage/policies",
                "/api/vcenter/guest/customization-specs/joined",
            ):
                assert other.read(path) == client.read(path)
            # It goes on: what is there is found, and may be deleted.
            assert other.delete(f"/api/vcenter/storage/policies/{policy}").status_code == 204


def test_a_file_that_is_wrong_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text("datacenters:\n- name: DC01\ntags:\n- name: prod\n  category: env\n", encoding="utf-8")
    done = resphere("serve", "--data-dir", str(tmp_path / "data"), "--inventory", str(file), "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{file}:4: tags[0].category: there is no category with the id or name 'env' in the file" in done.stderr


def test_a_store_that_is_full_is_not_filled_again(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "5") as server, server.session() as client:
        before = client.read("/api/vcenter/vm")
    with Server(tmp_path / "data") as server, server.session() as client:
        assert client.read("/api/vcenter/vm") == before
