"""The command line, against a real server: what is listed, found, done, refused, and written in every form."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from resphere.cli.remote.resources import NOUNS
from tests.support.commands import Shell, environment
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server


@pytest.fixture
def shell(shared_server: Server, tmp_path: Path) -> Shell:
    """Somebody in CI, whose variables choose the server."""
    return Shell(environment(tmp_path, shared_server))


@pytest.fixture
def vms(shell: Shell, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Two VMs of the test's own, which are gone afterwards."""
    names = [f"{request.node.name}-{number}" for number in (1, 2)]
    pool = shell.done("pool", "ls", "-o", "jsonpath=$[0].resource_pool").lines[0]
    folder = shell.done("folder", "ls", "--type", "virtual-machine", "-o", "jsonpath=$[0].folder").lines[0]
    where = ("--resource-pool", pool, "--folder", folder)
    for name in names:
        assert shell.done("vm", "create", name, "--guest-os", "rhel9-64", *where).out.startswith("vm-")
    yield names
    for name in names:
        shell("vm", "power", "off", name, "--yes")
        shell("vm", "rm", name, "--yes")


class TestLists:
    """``ls`` and ``show``."""

    @pytest.mark.parametrize("name", sorted(set(NOUNS) - {"item"}))
    def test_every_noun_is_listed_and_shown(self, shell: Shell, name: str) -> None:
        noun = NOUNS[name]
        rows = shell.done(name, "ls", "-o", "json").json
        assert all(row[noun.id] for row in rows)
        table = shell.done(name, "ls").lines
        assert len(table) >= len(rows) + 1 - (name in ("events", "task", "sessions"))
        assert shell.done(name, "ls", "-o", "wide").out
        if rows and noun.get is not None and name != "sessions":  # where each command has one of its own
            shown = shell.done(name, "show", str(rows[0][noun.id]), "-o", "json").json
            assert shown[noun.id] == rows[0][noun.id]

    def test_forms_say_the_same(self, shell: Shell, client: Client) -> None:
        rows = client.read("/api/vcenter/host")
        assert shell.done("host", "ls", "-o", "json").json == rows
        assert yaml.safe_load(shell.done("host", "ls", "-o", "yaml").out) == rows
        read = list(csv.DictReader(io.StringIO(shell.done("host", "ls", "-o", "csv").out)))
        assert read == rows
        names = [row["name"] for row in rows]
        assert shell.done("host", "ls", "-o", "name").lines == names
        assert shell.done("host", "ls", "-o", "jsonpath=$[*].name").lines == names
        header, *lines = shell.done("host", "ls").lines
        assert header.split() == ["HOST", "NAME", "CONNECTION", "STATE", "POWER", "STATE"]
        assert [line.split() for line in lines] == [list(row.values())[:4] for row in rows]

    def test_patterns_filters_conditions_and_order(self, shell: Shell) -> None:
        every = shell.done("vm", "ls", "-o", "json").json
        web = [vm for vm in every if vm["name"].startswith("web")]
        assert web
        assert shell.done("vms", "ls", "web*", "-o", "json").json == web
        assert shell.done("vm", "ls", web[0]["vm"], "-o", "json").json == web[:1]
        some = shell.done("vm", "ls", "--power-states", "powered-off", "-o", "json").json
        assert some == [vm for vm in every if vm["power_state"] == "POWERED_OFF"]
        small = shell.done("vm", "ls", "--where", "memory_size_MiB<5000", "--where", "name!=web*", "-o", "json").json
        assert small == [vm for vm in every if vm["memory_size_MiB"] < 5000 and not vm["name"].startswith("web")]
        counts = shell.done("vm", "ls", "--sort", "cpu_count:desc", "--columns", "cpu_count", "-o", "csv").lines[1:]
        assert counts == sorted(counts, key=int, reverse=True)
        cluster = shell.done("cluster", "ls", "-o", "name").lines[0]
        within = shell.done("vm", "ls", "--clusters", cluster, "-o", "name").lines
        assert 0 < len(within) < len(every)

    def test_paths_lead_to_objects(self, shell: Shell, client: Client) -> None:
        vm = client.read("/api/vcenter/vm")[0]["vm"]
        path = client.read(f"/api/vcenter/inventory/objects/{vm}")["path"]
        assert shell.done("vm", "show", path, "-o", "json").json["vm"] == vm
        *_, folder, name = path.split("/")
        assert shell.done("vm", "show", f"{folder}/{name}", "-o", "json").json["vm"] == vm
        host = client.read("/api/vcenter/host")[0]
        cluster = client.read("/api/vcenter/cluster")[0]["name"]
        assert shell.done("host", "ls", f"/{path.split('/')[1]}/host/{cluster}/{host['name']}", "-o", "json").json == [
            host
        ]

    def test_every_page_of_a_list_is_taken(self, shell: Shell) -> None:
        every = shell.done("events", "ls", "-o", "json").json
        until = str(every[1]["sequence"])
        assert shell.done("events", "ls", "--size", "1", "--until", until, "-o", "json").json == every[:2]

    @pytest.mark.parametrize(
        ("arguments", "status", "told"),
        [
            (["vm", "show", "web-0001"], 3, "there is no vm web-0001; did you mean web-001?"),
            (["vm", "show", "nothing-*"], 3, "nothing-* means none of the vms"),
            (["vm", "ls", "nowhere/web-001"], 3, "there is no vm nowhere/web-001"),
            (["pool", "show", "Resources"], 3, "Resources means 3 pools: "),
            (["vm", "ls", "--clusters", "Custer"], 3, "there is no cluster Custer"),
            (["vm", "ls", "--power-states", "on"], 2, "there is no on, there are POWERED_OFF, POWERED_ON, SUSPENDED"),
            (["vm", "ls", "--power-state", "on"], 2, "there is no flag --power-state; did you mean --power-states?"),
            (["vm", "ls", "-o", "jsn"], 2, "did you mean json?"),
            (["vm", "ls", "-o", "jsonpath=$[*"], 2, "$[* is no JSONPath"),
            (["vm", "ls", "--sort", "nmae"], 2, "there is no field nmae, there are cpu_count"),
            (["vm", "ls", "--sort", "name:up"], 2, "this is not FIELD or FIELD:desc"),
            (["vm", "ls", "--columns", "nmae"], 2, "did you mean name?"),
            (["vm", "ls", "--where", "name"], 2, "this is not FIELD=VALUE"),
            (["vm", "lst"], 2, "did you mean ls?"),
            (["vmm", "ls"], 2, "did you mean vm?"),
            (["task", "show", "task-0"], 3, "task-0"),
            (["sessions", "show", "nobody"], 3, "nobody"),
        ],
    )
    def test_what_does_not_exist(self, shell: Shell, arguments: list[str], status: int, told: str) -> None:
        done = shell(*arguments)
        assert (done.status, done.out) == (status, "")
        assert told in done.err
        assert "Traceback" not in done.err


class TestVerbs:
    """What is done to objects."""

    def test_the_life_of_machines(self, shell: Shell, vms: list[str]) -> None:
        first, second = vms
        assert shell("vm", "power", "on", *vms) == shell("vm", "power", "suspend", *vms)
        assert shell("vm", "rm", first, "--yes").status == 6, "it is suspended"
        shell.done("vm", "power", "on", first)
        done = shell("vm", "power", "on", first, second)
        assert done.status == 7, "one of them was on already"
        assert f"{first}: " in done.err
        assert second not in done.err
        done = shell("vm", "power", "on", *vms)
        assert done.status == 6
        assert "ALREADY_IN_DESIRED_STATE" in done.err
        assert shell.done("vm", "power", "off", f"{first[:-1]}*", "-y").out == ""
        shell.done("vm", "cpu", first, "--count", "4")
        shell.done("vm", "memory", first, "--size-mib", "2GiB")
        shell.done("vm", "rename", second, f"{second}-anew")
        shown = shell.done("vm", "ls", f"{first[:-1]}*", "-o", "json").json
        assert [(vm["name"], vm["cpu_count"]) for vm in shown] == [(first, 4), (f"{second}-anew", 1)]
        assert shown[0]["memory_size_MiB"] == 2048
        shell.done("vm", "rename", f"{second}-anew", second)

    def test_a_clone_is_waited_for_or_not(self, shell: Shell, vms: list[str]) -> None:
        clones = [f"{vms[0]}-clone-{number}" for number in (1, 2)]
        try:
            planned = shell.done("vm", "clone", vms[0], clones[0], "--dry-run", "-o", "json").json
            assert planned[0]["operation"] == "com.vmware.vcenter.VM.clone$task"
            assert planned[0]["input"]["spec"]["name"] == clones[0]
            assert shell("vm", "ls", clones[0]).status == 3
            id = shell.done("vm", "clone", vms[0], clones[0]).lines
            assert shell.done("vm", "ls", clones[0], "-o", "jsonpath=$[*].vm").lines == id
            (task,) = shell.done("vm", "clone", vms[0], clones[1], "--no-wait").lines
            assert shell.done("task", "show", task, "-o", "json").json["operation"] == "clone$task"
            assert shell("vm", "clone", vms[0], clones[0]).status == 6
        finally:
            shell("vm", "rm", f"{vms[0]}-clone-*", "--yes")

    def test_snapshots(self, shell: Shell, vms: list[str]) -> None:
        vm = vms[0]
        id = shell.done("vm", "snapshot", "create", vm, "before", "--description", "of the update").lines
        (shown,) = shell.done("vm", "snapshot", "ls", vm, "-o", "json").json
        assert [shown["snapshot"]] == id
        assert shell.done("vm", "snapshot", "ls", vm, "-o", "name").lines == ["before"]
        assert shell.done("vm", "snapshot", "show", vm, "before", "-o", "json").json["description"] == "of the update"
        shell.done("vm", "snapshot", "revert", vm, "before", "--yes")
        assert "did you mean before?" in shell("vm", "snapshot", "rm", vm, "befor", "--yes").err
        shell.done("vm", "snapshot", "rm", vm, "bef*", "--yes")
        assert shell.done("vm", "snapshot", "ls", vm, "-o", "json").json == []

    def test_moves_addresses_and_consoles(self, shell: Shell, vms: list[str]) -> None:
        host = shell.done("host", "ls", "-o", "name").lines[0]
        shell.done("vm", "migrate", vms[0], "--host", host)
        assert vms[0] in shell.done("vm", "ls", "--hosts", host, "-o", "name").lines
        assert shell("vm", "ip", vms[0]).status != 0, "it does not run"
        running = shell.done("vm", "ls", "web*", "--power-states", "POWERED_ON", "-o", "name").lines[0]
        assert shell.done("vm", "ip", running).lines[0].count(".") == 3
        assert shell.done("vm", "console", running).out.startswith("wss://")

    def test_a_specification_from_a_file_and_places(self, shell: Shell, tmp_path: Path) -> None:
        spec = tmp_path / "spec.yaml"
        spec.write_text("guest_OS: RHEL_9_64\ncpu:\n  count: 2\ndisks:\n  - new_vmdk:\n      capacity: 1073741824\n")
        given = ("vm", "create", "x", "--spec", str(spec), "--set", "memory.size_MiB=4GiB", "--dry-run", "-o", "json")
        (planned,) = shell.done(*given, "--disks", "new_vmdk.capacity=10GiB").json
        assert planned["input"]["spec"] == {
            "guest_OS": "RHEL_9_64",
            "cpu": {"count": 2},
            "disks": [{"new_vmdk": {"capacity": 2**30}}, {"new_vmdk": {"capacity": 10 * 2**30}}],
            "memory": {"size_MiB": 4096},
            "name": "x",
        }
        assert (
            shell.done(*given[:4], "-", *given[5:], input='{"guest_OS": "DOS"}').json[0]["input"]["spec"]["name"] == "x"
        )

    def test_tags_are_attached_to_any_object(self, shell: Shell, vms: list[str]) -> None:
        shell.done("category", "create", f"kind-of-{vms[0]}")
        try:
            shell.done("tag", "create", f"tag-of-{vms[0]}", "--category-id", f"kind-of-{vms[0]}")
            shell.done("tag", "attach", f"tag-of-{vms[0]}", f"vm/{vms[0]}")
            (attached,) = shell.done("tag", "objects", f"tag-of-{vms[0]}", "-o", "json").json
            assert attached["type"] == "VirtualMachine"
            shell.done("tag", "detach", f"tag-of-{vms[0]}", f"vms/{vms[0]}")
            assert shell.done("tag", "objects", f"tag-of-{vms[0]}", "-o", "json").json == []
            refused = shell("tag", "attach", f"tag-of-{vms[0]}", vms[0])
            assert refused.status == 2
            assert "an object is written as KIND/NAME, KIND one of vm, host" in refused.err
        finally:
            shell.done("category", "rm", f"kind-of-{vms[0]}", "--yes")

    def test_users_and_roles_of_a_server(self, shell: Shell, tmp_path: Path) -> None:
        assert shell.done(
            "users", "create", "commands-ann@vsphere.local", "--role", "ReadOnly", input="Night-owl-2026\n"
        ).out
        (tmp_path / "password").write_text("Night-owl-2027\n")
        again = shell("users", "create", "commands-ann@vsphere.local", "--password-file", str(tmp_path / "password"))
        assert again.status == 6
        shell.done("users", "set", "commands-ann@vsphere.local", "--disabled")
        assert shell.done("users", "show", "commands-ann@vsphere.local", "-o", "json").json["disabled"] is True
        shell.done("users", "rm", "commands-ann@vsphere.local", "--yes")
        made = shell.done("roles", "create", "commands-role", "--privileges", "VirtualMachine.Interact.PowerOn").lines[
            0
        ]
        assert made in shell.done("roles", "ls", "commands-*", "-o", "jsonpath=$[*].role").lines
        shell.done("roles", "rm", "commands-role", "--yes")

    @pytest.mark.parametrize(
        ("arguments", "status", "told"),
        [
            (["vm", "create", "x"], 2, "--guest-os is missing"),
            (["vm", "create", "x", "--guest-os", "rhel_9_46"], 2, "there is no rhel_9_46; did you mean RHEL_9_64?"),
            (["vm", "create", "x", "--guest-os", "DOS", "--cpu-count", "two"], 2, "two is no whole number"),
            (["vm", "create", "x", "--guest-os", "DOS", "--memory-size-mib", "1KiB"], 2, "no whole number of MiB"),
            (
                ["vm", "create", "x", "--guest-os", "DOS", "--folder", "vmm"],
                3,
                "there is no folder vmm; did you mean vm?",
            ),
            (["vm", "create", "x", "--guest-os", "DOS", "--disks", "new_vmkd=1"], 2, "did you mean new_vmdk?"),
            (["vm", "create", "x", "--guest-os", "DOS", "--disks", "{"], 2, "is no JSON"),
            (["vm", "create", "x", "--guest-os", "DOS", "--set", "cpu.cuont=1"], 2, "did you mean count?"),
            (["vm", "create", "x", "--guest-os", "DOS", "--set", "cpu"], 2, "this is not PATH=VALUE"),
            (["vm", "create", "x", "--spec", "/nowhere"], 1, "/nowhere: No such file or directory"),
            (["vm", "rm", "web*"], 2, "web-001, web-002"),
            (["vm", "power", "off", "web-001"], 2, "nobody is there to confirm that; --yes does"),
            (["vm", "power", "of", "web-001"], 2, "did you mean off?"),
            (["tag", "attach", "no", "vm/web-001"], 3, "there is no tag no"),
        ],
    )
    def test_refusals(self, shell: Shell, arguments: list[str], status: int, told: str) -> None:
        done = shell(*arguments)
        assert (done.status, done.out) == (status, "")
        assert told in done.err


class TestCalls:
    """``call`` and ``api``."""

    def test_any_operation_is_called(self, shell: Shell) -> None:
        called = shell.done("call", "vcenter.vm.list", "--arg", "filter.names=web-001", "--arg", "filter.names=web-002")
        assert [vm["name"] for vm in called.json] == ["web-001", "web-002"]
        table = shell.done(
            "call", "com.vmware.vcenter.VM.list", "--input", "-", "-o", "table", input="filter:\n  names: [web-001]\n"
        )
        assert table.lines[1].split()[1] == "web-001"
        assert shell.done("call", "resphere.about.get").json["product"]
        assert shell.done("call", "appliance.system.version.get").json["version"]
        assert shell.done("call", "--list", "vcenter.vm.power.*").lines[0] == "com.vmware.vcenter.vm.power.get"
        assert "vm (required)  a virtual machine" in shell.done("call", "vcenter.vm.power.get", "--describe").out

    def test_any_request_is_sent(self, shell: Shell, client: Client) -> None:
        assert shell.done("api", "get", "/api/vcenter/cluster").json == client.read("/api/vcenter/cluster")
        assert shell.done("api", "GET", "/api/vcenter/vm?names=web-001", "-i").out.startswith("HTTP 200\n")
        made = shell.done("api", "POST", "/api/cis/tasks?action=list", "--data", "{}")
        assert isinstance(made.json, dict)
        refused = shell("api", "GET", "/api/vcenter/vm/vm-0")
        assert refused.status == 3
        assert refused.json["error_type"] == "NOT_FOUND"
        assert "HTTP 404" in refused.err

    @pytest.mark.parametrize(
        ("arguments", "status", "told"),
        [
            (["call", "vcenter.vm.lst"], 2, "there is no operation vcenter.vm.lst; did you mean vcenter."),
            (["call", "vcenter.VM.get"], 2, "vm is missing"),
            (["call", "vcenter.VM.get", "--arg", "vmm=vm-1"], 2, "there is no vmm, there are vm; did you mean vm?"),
            (["call", "vcenter.VM.get", "--arg", "vm"], 2, "this is not PATH=VALUE"),
            (["call", "vcenter.VM.get", "--arg", "vm=vm-0"], 3, "(NOT_FOUND)"),
            (
                ["call", "vcenter.VM.list", "--arg", "filter.power_states=ON"],
                2,
                "there is no ON, there are POWERED_OFF",
            ),
            (["call", "vcenter.VM.list", "--input", "/nowhere"], 1, "/nowhere: No such file or directory"),
            (["call", "--list", "nothing.*"], 3, ""),
            (["api", "FETCH", "/api"], 2, "there is no method FETCH"),
            (["api", "GET", "api"], 2, "begins with a slash"),
        ],
    )
    def test_refusals(self, shell: Shell, arguments: list[str], status: int, told: str) -> None:
        done = shell(*arguments)
        assert (done.status, done.out) == (status, "")
        assert told in done.err


class TestContexts:
    """Servers that one is logged in at."""

    def test_a_login_is_kept_and_ended(self, shared_server: Server, tmp_path: Path) -> None:
        shell = Shell(environment(tmp_path))
        host = shared_server.url.removeprefix("https://")
        assert shell("vm", "ls").status == 5
        told = shell.done(
            "login", host, "--user", ADMINISTRATOR, "--ca-file", str(shared_server.ca), input=PASSWORD + "\n"
        )
        assert f"is the context {host}" in told.err
        assert PASSWORD not in told.err
        for name in ("contexts.json", "secrets.json"):
            file = tmp_path / "resphere" / name
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert PASSWORD not in file.read_text()
        assert shell.done("vm", "ls", "web-001", "-o", "name").lines == ["web-001"]
        shell.done("contexts", "rename", host, "lab")
        assert shell.done("contexts", "ls", "-o", "json").json[0]["name"] == "lab"
        assert "did you mean lab?" in shell("vm", "ls", "--context", "lbb").err
        shell.done("logout")
        done = shell("vm", "ls")
        assert done.status == 4
        assert "`resphere login --context lab` does that" in done.err
        shell.done("login", input=PASSWORD + "\n")
        shell.done("contexts", "use", "lab")
        shell.done("logout", "--all")
        shell.done("contexts", "rm", "lab")
        assert shell.done("contexts", "ls", "-o", "json").json == []

    @pytest.mark.parametrize("remember", [True, False])
    def test_a_session_that_has_ended(self, shared_server: Server, tmp_path: Path, remember: bool) -> None:
        shell = Shell(environment(tmp_path))
        flags = ("--user", ADMINISTRATOR, "--ca-file", str(shared_server.ca), "--context", "lab")
        shell.done("login", shared_server.url, *flags, *(("--remember",) if remember else ()), input=PASSWORD + "\n")
        own = shell.done("sessions", "ls", "--where", "current=true", "-o", "name").lines
        shell.done("sessions", "rm", *own, "--yes")
        for _ in range(2):
            done = shell("vm", "ls", "web-001", "-o", "name")
            if remember:
                assert done.lines == ["web-001"]
            else:
                assert done.status == 4
                assert "the session at" in done.err
                assert "`resphere login --context lab` begins another" in done.err
        shell("logout")

    def test_who_is_not_let_in(self, shared_server: Server, tmp_path: Path) -> None:
        shell = Shell(environment(tmp_path, shared_server, password="wrong"))
        done = shell("vm", "ls")
        assert (done.status, done.out) == (4, "")
        assert "(UNAUTHENTICATED)" in done.err
        assert shell("login", shared_server.url, "--context", "lab").status == 4
        assert not (tmp_path / "resphere" / "contexts.json").exists()
        without = Shell({name: text for name, text in shell.variables.items() if name != "VSPHERE_PASSWORD"})
        assert "the variable VSPHERE_PASSWORD has it" in without("vm", "ls").err

    def test_a_file_of_secrets_that_others_may_read_is_refused(self, shared_server: Server, tmp_path: Path) -> None:
        shell = Shell(environment(tmp_path))
        shell.done(
            "login",
            shared_server.url,
            "--user",
            ADMINISTRATOR,
            "--ca-file",
            str(shared_server.ca),
            input=PASSWORD + "\n",
        )
        (tmp_path / "resphere" / "secrets.json").chmod(0o644)
        assert "chmod 600" in shell("vm", "ls").err
