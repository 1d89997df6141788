"""Programs in the simulated guest, its environment, and what becomes of both with power and snapshots."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument, NotFound, UnableToAllocateResource, Unauthorized, VapiError
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Power
from resphere.contract.generated.vcenter_vm_guest import Environment, Operations, Processes
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Files
from resphere.inventory.guest import GuestContent, GuestSystem
from tests.support.guests import ADMINISTRATOR, ROOT, ready_vm, run_shell
from tests.support.transfers import fetch, send
from tests.support.world import NOW, World

Id = ids.VirtualMachineId
Spec = Processes.CreateSpec


def later(world: World, seconds: float) -> None:
    """Let the world's clock go on."""
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(seconds=seconds))


def test_a_program_leaves_its_output_and_its_exit_code(world: World, vm: Id) -> None:
    pid = world.call(Processes.create, vm, ROOT, Spec(path="/bin/echo", arguments="hello '$HOME' > /tmp/out"))
    found = world.call(Processes.get, vm, ROOT, pid)
    assert (found.name, found.owner, found.exit_code, found.started, found.finished) == ("echo", "root", 0, NOW, NOW)
    assert found.command == "/bin/echo hello '$HOME' > /tmp/out"
    assert fetch(world, vm, "/tmp/out") == b"hello $HOME\n"
    assert pid in [each.pid for each in world.call(Processes.list, vm, ROOT)]


def test_a_process_lasts_as_long_as_it_sleeps_and_is_remembered_five_minutes(world: World, vm: Id) -> None:
    pid = world.call(Processes.create, vm, ROOT, Spec(path="/bin/sleep", arguments="60"))
    assert world.call(Processes.get, vm, ROOT, pid).exit_code is None
    later(world, 59)
    assert world.call(Processes.get, vm, ROOT, pid).finished is None
    later(world, 60)
    ended = world.call(Processes.get, vm, ROOT, pid)
    assert (ended.exit_code, ended.finished) == (0, NOW + timedelta(seconds=60))
    later(world, 60 + 299)
    assert world.call(Processes.get, vm, ROOT, pid).exit_code == 0
    later(world, 60 + 300)
    with pytest.raises(NotFound) as refusal:
        world.call(Processes.get, vm, ROOT, pid)
    assert refusal.value.messages[0].id == "vmsg.GuestProcessNotFound.summary"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("true", 0),
        ("false", 1),
        ("false || true", 0),
        ("true && false", 1),
        ("false; true", 0),
        ("exit 7; true", 7),
        ("none", 127),
        ("cat /none", 1),
        ("rm -f /none", 0),
        ("mkdir -p /srv/a/b && touch /srv/a/b/c && rm -r /srv/a && ls /srv/a", 2),
        ("X=5; exit $X", 5),
        ("echo 1 > /none/x", 1),
        ("for i in a; do echo; done", 2),
        ('echo "unterminated', 2),
        ("sleep x", 1),
        ("cd /etc && cat hostname", 0),
    ],
)
def test_shells(world: World, vm: Id, line: str, status: int) -> None:
    assert run_shell(world, vm, line) == status


def test_files_by_the_shell(world: World, vm: Id) -> None:
    run_shell(
        world, vm, "hostname > /tmp/a; cat /etc/hostname >> /tmp/a; cp /tmp/a /tmp/b; mv /tmp/b /srv; ls /srv > /tmp/ls"
    )
    short = fetch(world, vm, "/etc/hostname")
    assert fetch(world, vm, "/srv/b") == short + short
    assert fetch(world, vm, "/tmp/ls") == b"b\n"
    run_shell(world, vm, "cat /none > /tmp/out 2> /tmp/err")
    assert fetch(world, vm, "/tmp/out") == b""
    assert b"/none" in fetch(world, vm, "/tmp/err")
    run_shell(world, vm, "echo through | cat > /tmp/piped")
    assert fetch(world, vm, "/tmp/piped") == b"through\n"


def test_a_script_runs_once_it_may(world: World, vm: Id) -> None:
    run_shell(world, vm, 'echo "#!/bin/sh" > /tmp/s; echo "echo \\$1 > /tmp/o" >> /tmp/s; echo "exit 3" >> /tmp/s')
    with pytest.raises(Unauthorized):
        world.call(Processes.create, vm, ROOT, Spec(path="/tmp/s", arguments="word"))
    run_shell(world, vm, "chmod +x /tmp/s")
    pid = world.call(Processes.create, vm, ROOT, Spec(path="/tmp/s", arguments="word"))
    assert world.call(Processes.get, vm, ROOT, pid).exit_code == 3
    assert fetch(world, vm, "/tmp/o") == b"word\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("false", 1),
        ("false\n", 1),
        ("nosuch\n", 127),
        ("nosuch\n\n# the end\n", 127),
        ("set -e\nfalse\ntrue\n", 1),
        ("true\n", 0),
        ("", 0),
    ],
)
def test_a_script_ends_with_the_status_of_its_last_command(world: World, vm: Id, text: str, status: int) -> None:
    send(world, vm, "/tmp/s", text.encode())
    run_shell(world, vm, "chmod +x /tmp/s")
    for path, arguments in (("/tmp/s", None), ("/bin/sh", "/tmp/s"), ("/bin/bash", "-c /tmp/s")):
        pid = world.call(Processes.create, vm, ROOT, Spec(path=path, arguments=arguments))
        assert world.call(Processes.get, vm, ROOT, pid).exit_code == status, (path, arguments)


@pytest.mark.parametrize(
    "line",
    ["if true; then true; fi", "while false; do true; done", "f() { true; }", "(true)", "{ true; }", "[[ a ]]", "[ a ]",
     "test a", "echo $(true)", "echo `true`", "echo ${A:-b}", "echo $((1))", "cat <<E\nE", "cat <<< a", "echo {a,b}",
     "echo a >| b", "true 3> /tmp/x", "eval true", "exec true", ". /etc/hosts", "printf a", "read A", "trap true EXIT",
     "set -v", "true |& true", "A+=b", "cp -x a b", "ls -R /", "echo -e a", "touch -d now a", "mkdir -m 700 /tmp/a",
     "date -d now", "date +%N", "uname -a", "hostname other", "env -i true", "python3 -c pass", "sh -n /etc/hosts"],
)  # fmt: skip
def test_what_a_shell_does_not_support_it_says(world: World, vm: Id, line: str) -> None:
    send(world, vm, "/tmp/s", f"{line}\n".encode())
    assert run_shell(world, vm, "sh /tmp/s 2> /tmp/errors") != 0
    assert fetch(world, vm, "/tmp/errors") != b""


def test_the_options_in_a_scripts_first_line_count(world: World, vm: Id) -> None:
    send(world, vm, "/tmp/s", b"#!/bin/sh -e\nfalse\ntrue\n")
    assert run_shell(world, vm, "chmod +x /tmp/s; /tmp/s") == 1
    assert run_shell(world, vm, "sh /tmp/s") == 0


def test_a_script_for_another_interpreter_does_not_run(world: World, vm: Id) -> None:
    send(world, vm, "/tmp/s", b"#!/usr/bin/python3\ntrue\n")
    assert run_shell(world, vm, "chmod +x /tmp/s; /tmp/s 2> /tmp/errors") == 126
    assert b"/usr/bin/python3" in fetch(world, vm, "/tmp/errors")


def test_what_runs_in_the_background_is_waited_for(world: World, vm: Id) -> None:
    for arguments, seconds in (
        ('-c "sleep 9 & true"', 0),
        ('-c "sleep 9 & sleep 2; wait"', 9),
        ('-c "sleep 3 | sleep 5"', 5),
    ):
        pid = world.call(Processes.create, vm, ROOT, Spec(path="/bin/sh", arguments=arguments))
        process = next(iter(world.inventory.all(GuestSystem).values())).processes[pid]
        assert process.finishes == NOW + timedelta(seconds=seconds), arguments


@pytest.mark.parametrize(
    ("spec", "kind", "message_id"),
    [
        (Spec(path="/none"), NotFound, "vmsg.FileNotFound.summary"),
        (Spec(path="/etc"), InvalidArgument, "vmsg.NotAFile.summary"),
        (Spec(path="/etc/hostname"), Unauthorized, "vmsg.GuestPermissionDenied.summary"),
        (Spec(path="/usr/sbin/sshd"), UnableToAllocateResource, "resphere.guest.process_start"),
        (Spec(path="/bin/true", working_directory="/none"), InvalidArgument, "vmsg.NotADirectory.summary"),
        (Spec(path="/bin/true", start_minimized=True), InvalidArgument, "resphere.vm.guest.start_minimized"),
    ],
)
def test_programs_that_do_not_start(
    world: World, vm: Id, spec: Processes.CreateSpec, kind: type[VapiError], message_id: str
) -> None:
    with pytest.raises(kind) as refusal:
        world.call(Processes.create, vm, ROOT, spec)
    assert refusal.value.messages[0].id == message_id
    assert world.inventory.get(GuestSystem, vm) is None


@pytest.mark.parametrize(
    "arguments",
    [
        "-c 'true" + ";true" * 1000 + "'",
        "x" * 131_073,
        "-c 'touch" + " /srv/a" * 2001 + "'",
        "-c 'cd /etc; echo" + " *" * 300 + "'",
        "-c 'ls" + " /etc" * 300 + "'",
        "-c 'mkdir /srv/d && touch /srv/d/{}; cp -r /srv/d /srv/e; ".format(" /srv/d/".join(map(str, range(900))))
        + "cp -r /srv/d /srv/f; cp -r /srv/d /srv/g'",
    ],
)
def test_a_program_takes_no_time_from_others(world: World, vm: Id, arguments: str) -> None:
    with pytest.raises(UnableToAllocateResource) as refusal:
        world.call(Processes.create, vm, ROOT, Spec(path="/bin/sh", arguments=arguments))
    assert refusal.value.messages[0].id == "resphere.guest.process_start"
    assert world.inventory.get(GuestSystem, vm) is None


def test_output_has_an_end(world: World, vm: Id) -> None:
    doubling = ";".join("cat /tmp/a /tmp/a > /tmp/b; mv /tmp/b /tmp/a" for _ in range(30))
    run_shell(world, vm, f"echo {'a' * 1023} > /tmp/a; {doubling}")
    assert world.call(Files.get, vm, ROOT, "/tmp/a").size <= 16 * 1024 * 1024


def test_a_process_moves_so_many_bytes_and_then_no_more(world: World, vm: Id) -> None:
    send(world, vm, "/srv/large", bytes(8 * 1024 * 1024))
    copies = "; ".join(f"cat /srv/large > /srv/{number}" for number in range(20))
    assert run_shell(world, vm, f"{copies} 2> /srv/errors") == 1
    assert sum(entry.size for entry in world.call(Files.list, vm, ROOT, "/srv", None, None).files) < 48 * 1024 * 1024


def test_processes_are_ended(world: World, vm: Id) -> None:
    pid = world.call(Processes.create, vm, ROOT, Spec(path="/bin/sleep", arguments="1h"))
    world.call(Processes.delete, vm, ROOT, pid)
    assert world.call(Processes.get, vm, ROOT, pid).exit_code == 143
    with pytest.raises(NotFound):
        world.call(Processes.delete, vm, ROOT, pid)
    own = {each.name: each.pid for each in world.call(Processes.list, vm, ROOT)}
    with pytest.raises(Unauthorized):
        world.call(Processes.delete, vm, ROOT, own["systemd"])
    world.call(Processes.delete, vm, ROOT, own["cron"])
    assert "cron" not in [each.name for each in world.call(Processes.list, vm, ROOT)]


def test_processes_end_with_the_power_and_files_do_not(world: World, vm: Id) -> None:
    pid = world.call(Processes.create, vm, ROOT, Spec(path="/bin/sh", arguments='-c "touch /srv/x; sleep 1h"'))
    world.call(Power.suspend, vm)
    world.call(Power.start, vm)
    assert world.call(Processes.get, vm, ROOT, pid).exit_code is None
    world.call(Power.reset, vm)
    with pytest.raises(NotFound):
        world.call(Processes.get, vm, ROOT, pid)
    assert world.call(Files.get, vm, ROOT, "/srv/x").size == 0


def test_a_snapshot_keeps_the_files(world: World, vm: Id) -> None:
    large = "a" * 3000
    run_shell(world, vm, f"echo {large} > /srv/before")
    snapshot = world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s"))
    run_shell(world, vm, "rm /srv/before; touch /srv/after")
    assert len(world.inventory.by(GuestContent, "machine", vm)) == 1
    world.call(VmSnapshots.revert, vm, snapshot)
    world.call(Power.start, vm)
    assert fetch(world, vm, "/srv/before") == large.encode() + b"\n"
    with pytest.raises(NotFound):
        world.call(Files.get, vm, ROOT, "/srv/after")
    world.call(VmSnapshots.delete, vm, snapshot, False, None)
    run_shell(world, vm, "rm /srv/before")
    assert not world.inventory.by(GuestContent, "machine", vm)


def test_a_vm_takes_its_guest_with_it(world: World, vm: Id) -> None:
    run_shell(world, vm, "echo " + "a" * 3000 + " > /srv/x")
    world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s"))
    world.call(Power.stop, vm)
    world.call(vcenter.VM.delete, vm)
    assert not world.inventory.all(GuestSystem)
    assert not world.inventory.all(GuestContent)


def test_windows_runs_cmd(world: World) -> None:
    vm = ready_vm(world, GuestOSFamily.WINDOWS)
    cmd = "C:\\Windows\\System32\\cmd.exe"
    for arguments, status in (
        ("/c echo hello > C:\\Temp\\out.txt & copy C:\\Temp\\out.txt C:\\Temp\\b.txt", 0),
        ("/c type C:\\none", 1),
        ("/c none", 9009),
        ("/c exit 5", 5),
        ("/c md C:\\Temp\\a\\b && rd /s /q C:\\Temp\\a", 0),
    ):
        pid = world.call(Processes.create, vm, ADMINISTRATOR, Spec(path=cmd, arguments=arguments, start_minimized=True))
        assert world.call(Processes.get, vm, ADMINISTRATOR, pid).exit_code == status, arguments
    assert fetch(world, vm, "C:\\Temp\\b.txt") == b"hello\r\n"
    with pytest.raises(NotFound):
        world.call(Processes.create, vm, ADMINISTRATOR, Spec(path="C:\\none.exe"))
    assert world.call(Environment.get, vm, ADMINISTRATOR, "systemroot") == "C:\\Windows"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("@echo off\r\nexit /b 3\r\n", 3),
        ("nosuch\r\necho done\r\n", 9009),
        ("type C:\\none\r\n", 1),
        ("copy C:\\none C:\\Temp\r\ncd C:\\Temp\r\n", 0),
        ("set CODE=4\r\nexit /b %CODE%\r\n", 4),
        ("exit /b %1\r\n", 6),
        ("nosuch\r\nexit /b %ERRORLEVEL%\r\n", 9009),
        ("call C:\\Temp\\other.bat\r\nexit /b 1%ERRORLEVEL%\r\n", 18),
        ("C:\\Temp\\other.bat\r\nexit /b 5\r\n", 8),
        ("cmd /c exit 7\r\n", 7),
        ("cmd /c exit 7 & echo a > C:\\Temp\\a || echo b\r\n", 7),
        ("if exist C:\\Temp exit /b 0\r\n", 1),
        ("for %%i in (a) do echo %%i\r\n", 1),
        ("goto end\r\n:end\r\n", 1),
        ('dir C:\\Temp | find "a"\r\n', 1),
        ("del /s C:\\Temp\\none\r\n", 1),
        ('echo "a & b" > C:\\Temp\\q\r\n', 0),
        ("", 0),
    ],
)
def test_cmd_runs_batch_files(world: World, text: str, status: int) -> None:
    vm = ready_vm(world, GuestOSFamily.WINDOWS)
    send(world, vm, "C:\\Temp\\t.bat", text.encode())
    send(world, vm, "C:\\Temp\\other.bat", b"exit /b 8\r\n")
    cmd = "C:\\Windows\\System32\\cmd.exe"
    for path, arguments in (
        (cmd, "/c C:\\Temp\\t.bat 6"),
        (cmd, '/c "C:\\Temp\\t" 6'),
        (cmd, "/q /c call C:\\Temp\\t.bat 6"),
        ("C:\\Temp\\t.bat", "6"),
    ):
        pid = world.call(Processes.create, vm, ADMINISTRATOR, Spec(path=path, arguments=arguments))
        assert world.call(Processes.get, vm, ADMINISTRATOR, pid).exit_code == status, (path, arguments)


def test_the_environment(world: World, vm: Id) -> None:
    assert world.call(Environment.get, vm, ROOT, "HOME") == "/root"
    assert world.call(Environment.list, vm, ROOT, frozenset({"HOME", "NONE"})) == {"HOME": "/root"}
    assert "PATH" in world.call(Environment.list, vm, ROOT, frozenset())
    with pytest.raises(NotFound) as refusal:
        world.call(Environment.get, vm, ROOT, "NONE")
    assert refusal.value.messages[0].id == "resphere.vm.guest.no_variable"


def test_whether_operations_are_ready(world: World, vm: Id) -> None:
    assert world.call(Operations.get, vm) == Operations.Info(
        guest_operations_ready=True, interactive_guest_operations_ready=False
    )
    world.call(Power.stop, vm)
    assert not world.call(Operations.get, vm).guest_operations_ready
    with pytest.raises(NotFound):
        world.call(Operations.get, Id("vm-999999"))


def test_a_directory_of_many(world: World, vm: Id) -> None:
    """The file system has an end."""
    run_shell(world, vm, ";".join(f"mkdir /srv/{number}" for number in range(100)))
    assert len(world.call(Files.list, vm, ROOT, "/srv", Files.IterationSpec(size=1000), None).files) == 100
    world.call(Directories.delete, vm, ROOT, "/srv", True)


@pytest.mark.parametrize("touched", [False, True])
def test_an_instant_clone_runs_on_with_the_processes(world: World, vm: Id, touched: bool) -> None:
    if touched:
        world.call(Processes.create, vm, ROOT, Spec(path="/bin/sleep", arguments="1h"))
        ended = next(p.pid for p in world.call(Processes.list, vm, ROOT) if p.name == "cron")
        world.call(Processes.delete, vm, ROOT, ended)
    running = world.call(Processes.list, vm, ROOT)
    fork = world.call(vcenter.VM.instant_clone, vcenter.VM.InstantCloneSpec(source=vm, name="fork"))
    assert world.call(Processes.list, fork, ROOT) == running
    of_fork = world.call(vcenter.VM.instant_clone, vcenter.VM.InstantCloneSpec(source=fork, name="of fork"))
    assert world.call(Processes.list, of_fork, ROOT) == running
    world.call(Processes.delete, fork, ROOT, running[-1].pid)
    assert world.call(Processes.list, vm, ROOT) == world.call(Processes.list, of_fork, ROOT) == running
    world.call(Power.reset, fork)
    started = world.call(Processes.list, fork, ROOT)
    assert {process.name for process in started} == {process.name for process in running} - {"sleep"} | {"cron"}
    assert [process.started for process in started] != [process.started for process in running]


def test_a_clone_has_processes_of_its_own(world: World, vm: Id) -> None:
    world.call(Processes.create, vm, ROOT, Spec(path="/bin/sleep", arguments="1h"))
    clone = world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name="twin", power_on=True))
    assert not [process for process in world.call(Processes.list, clone, ROOT) if process.name == "sleep"]
