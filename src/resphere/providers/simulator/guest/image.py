"""What is in a guest that nobody has changed: a few files and processes, of the system that the VM says it has.

All of it follows from the VM, so that it is the same each time, and nothing of it needs to be stored.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta

import msgspec

from resphere.contract.generated.vcenter_vm import GuestOSFamily
from resphere.inventory.guest import GuestNode, GuestProcess, GuestSystem
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.guest.paths import POSIX, WINDOWS, PathStyle
from resphere.providers.simulator.guest.tree import DIRECTORY, FILE, SYMLINK
from resphere.rules.machines.guest_os_defaults import defaults_of

INSTALLED = datetime(2025, 1, 15, 8, 0, 0, tzinfo=UTC)
"""When the system in every guest was installed."""

FIRST_STARTED_PID = 4100
"""Processes that are started from outside have numbers from here on."""

POSIX_PROGRAMS = (
    "bash", "cat", "chmod", "cp", "date", "echo", "env", "false", "hostname", "ls", "mkdir", "mv", "printenv", "pwd",
    "rm", "rmdir", "sh", "sleep", "touch", "true", "uname", "vmware-rpctool", "whoami",
)  # fmt: skip
WINDOWS_PROGRAMS = ("cmd.exe", "hostname.exe", "timeout.exe", "whoami.exe")


def style_of(vm: VirtualMachine) -> PathStyle:
    """How the VM's guest writes paths."""
    return WINDOWS if family_of(vm) is GuestOSFamily.WINDOWS else POSIX


def family_of(vm: VirtualMachine) -> GuestOSFamily:
    """The family of the VM's guest: what Tools say, or else what the VM was made for."""
    return vm.guest.family if vm.guest is not None else defaults_of(vm.guest_OS).family


def administrator_of(vm: VirtualMachine) -> str:
    """The user that every simulated guest has."""
    return "Administrator" if family_of(vm) is GuestOSFamily.WINDOWS else "root"


def host_name_of(vm: VirtualMachine) -> str:
    """What the guest calls itself."""
    return vm.guest.host_name if vm.guest is not None else vm.name


def image(vm: VirtualMachine) -> GuestSystem:
    """The guest of ``vm`` as it was installed, running."""
    windows = family_of(vm) is GuestOSFamily.WINDOWS
    nodes = _Nodes(WINDOWS if windows else POSIX)
    if windows:
        _windows(vm, nodes)
    else:
        _posix(vm, nodes)
    next_pid = FIRST_STARTED_PID + _drawn(vm.instance_uuid) % 900
    return GuestSystem(id=vm.id, machine=vm.id, nodes=nodes.found, next_pid=next_pid)


def fork(system: GuestSystem, source: VirtualMachine, machine: str) -> GuestSystem:
    """The guest of ``machine``, which runs on from where ``system``, that of ``source``, is."""
    forked_from = system.forked_from or source.instance_uuid
    return msgspec.structs.replace(system, id=machine, machine=machine, boot=0, forked_from=forked_from)


def processes(vm: VirtualMachine, system: GuestSystem) -> dict[int, GuestProcess]:
    """The processes that a started guest has by itself."""
    names = _WINDOWS_PROCESSES if family_of(vm) is GuestOSFamily.WINDOWS else _POSIX_PROCESSES
    started = INSTALLED + timedelta(days=_drawn(system.forked_from or vm.instance_uuid) % 90)
    return {
        pid: GuestProcess(
            pid=pid,
            name=name,
            owner=owner,
            command=command,
            started=started + timedelta(seconds=position),
            essential=position < _ESSENTIAL,
        )
        for position, (pid, name, owner, command) in enumerate(names)
    }


def _drawn(instance_uuid: str) -> int:
    """A number that looks drawn, and is the VM's for good."""
    return zlib.crc32(instance_uuid.encode())


class _Nodes:
    """Files of an image in the making."""

    def __init__(self, style: PathStyle) -> None:
        self._style = style
        self.found: dict[str, GuestNode] = {"": _node(DIRECTORY, "", permissions="0755")}

    def directory(self, path: str, permissions: str = "0755", locked: bool = False) -> None:
        self._put(path, _node(DIRECTORY, "", permissions=permissions, locked=locked))

    def file(self, path: str, text: str = "", permissions: str = "0644", hidden: bool = False) -> None:
        data = (text.replace("\n", "\r\n") if self._style.windows else text).encode()
        self._put(path, _node(FILE, "", data=data, size=len(data), permissions=permissions, hidden=hidden))

    def link(self, path: str, target: str) -> None:
        self._put(path, _node(SYMLINK, "", target=target, permissions="0777"))

    def _put(self, path: str, node: GuestNode) -> None:
        parts = self._style.parse(path)
        self.found[self._style.key(parts)] = msgspec.structs.replace(node, name=parts[-1])


def _node(type: object, name: str, **fields: object) -> GuestNode:
    times = {"modified": INSTALLED, "accessed": INSTALLED, "created": INSTALLED}
    return msgspec.convert({"type": type, "name": name, **times, **fields}, GuestNode)


def hosts_file(host_name: str) -> str:
    """``/etc/hosts`` of a host."""
    short = host_name.partition(".")[0]
    names = host_name if short == host_name else f"{host_name} {short}"
    return f"127.0.0.1 localhost\n127.0.1.1 {names}\n::1 localhost ip6-localhost ip6-loopback\n"


def _posix(vm: VirtualMachine, nodes: _Nodes) -> None:
    host_name = host_name_of(vm)
    for path in ("/boot", "/dev", "/etc", "/etc/ssh", "/home", "/opt", "/srv", "/usr", "/usr/bin", "/usr/sbin",
                 "/usr/lib", "/var", "/var/lib", "/var/log"):  # fmt: skip
        nodes.directory(path)
    nodes.directory("/root", "0700")
    nodes.directory("/tmp", "1777")
    nodes.directory("/var/tmp", "1777")
    nodes.directory("/proc", "0555", locked=True)
    nodes.directory("/sys", "0555", locked=True)
    for name in ("bin", "sbin", "lib"):
        nodes.link(f"/{name}", f"usr/{name}")
    for program in POSIX_PROGRAMS:
        nodes.file(f"/usr/bin/{program}", permissions="0755")
    for program in ("cron", "rsyslogd", "sshd", "vmtoolsd"):
        nodes.file(f"/usr/sbin/{program}", permissions="0755")
    title = defaults_of(vm.guest_OS).full_name.rpartition(" (")[0]
    nodes.file("/etc/hostname", f"{host_name.partition('.')[0]}\n")
    nodes.file("/etc/hosts", hosts_file(host_name))
    nodes.file("/etc/os-release", f'NAME="{title}"\nID={_os_id(vm)}\nPRETTY_NAME="{title}"\n')
    nodes.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n")
    nodes.file("/etc/resolv.conf", "nameserver 127.0.0.53\n")
    nodes.file("/etc/shadow", "", "0640")
    nodes.file("/etc/ssh/sshd_config", "Port 22\n")
    nodes.file("/root/.bashrc")
    nodes.file(
        "/var/log/messages", f"{INSTALLED:%b %d %H:%M:%S} {host_name.partition('.')[0]} kernel: started\n", "0640"
    )


def _os_id(vm: VirtualMachine) -> str:
    return vm.guest_OS.value.partition("_")[0].lower()


def _windows(vm: VirtualMachine, nodes: _Nodes) -> None:
    for path in ("C:\\", "C:\\Program Files", "C:\\Program Files\\VMware", "C:\\Program Files\\VMware\\VMware Tools",
                 "C:\\ProgramData", "C:\\Temp", "C:\\Users", "C:\\Users\\Administrator",
                 "C:\\Users\\Administrator\\Desktop", "C:\\Users\\Administrator\\AppData",
                 "C:\\Users\\Administrator\\AppData\\Local", "C:\\Users\\Administrator\\AppData\\Local\\Temp",
                 "C:\\Users\\Public", "C:\\Windows", "C:\\Windows\\System32", "C:\\Windows\\System32\\drivers",
                 "C:\\Windows\\System32\\drivers\\etc", "C:\\Windows\\Temp"):  # fmt: skip
        nodes.directory(path)
    nodes.directory("C:\\System Volume Information", locked=True)
    nodes.file("C:\\pagefile.sys", hidden=True)
    nodes.file("C:\\Windows\\win.ini", "; for 16-bit app support\n[fonts]\n[extensions]\n[mci extensions]\n[files]\n")
    nodes.file("C:\\Windows\\System32\\drivers\\etc\\hosts", "127.0.0.1 localhost\n")
    nodes.file("C:\\Program Files\\VMware\\VMware Tools\\vmtoolsd.exe")
    for program in WINDOWS_PROGRAMS:
        nodes.file(f"C:\\Windows\\System32\\{program}")


_ESSENTIAL = 2
_POSIX_PROCESSES = (
    (1, "systemd", "root", "/usr/lib/systemd/systemd --system"),
    (612, "vmtoolsd", "root", "/usr/sbin/vmtoolsd"),
    (640, "rsyslogd", "root", "/usr/sbin/rsyslogd -n"),
    (655, "cron", "root", "/usr/sbin/cron -f"),
    (702, "sshd", "root", "/usr/sbin/sshd -D"),
)
_WINDOWS_PROCESSES = (
    (4, "System", "NT AUTHORITY\\SYSTEM", "System"),
    (1480, "vmtoolsd.exe", "NT AUTHORITY\\SYSTEM", '"C:\\Program Files\\VMware\\VMware Tools\\vmtoolsd.exe"'),
    (624, "services.exe", "NT AUTHORITY\\SYSTEM", "C:\\Windows\\system32\\services.exe"),
    (812, "svchost.exe", "NT AUTHORITY\\SYSTEM", "C:\\Windows\\system32\\svchost.exe -k DcomLaunch"),
    (1732, "spoolsv.exe", "NT AUTHORITY\\SYSTEM", "C:\\Windows\\System32\\spoolsv.exe"),
)


def environment(vm: VirtualMachine) -> dict[str, str]:
    """The environment variables of the guest's administrator."""
    if family_of(vm) is GuestOSFamily.WINDOWS:
        return {
            "COMPUTERNAME": host_name_of(vm).partition(".")[0].upper()[:15],
            "ComSpec": "C:\\Windows\\system32\\cmd.exe",
            "OS": "Windows_NT",
            "Path": "C:\\Windows\\system32;C:\\Windows",
            "PATHEXT": ".COM;.EXE;.BAT;.CMD",
            "SystemDrive": "C:",
            "SystemRoot": "C:\\Windows",
            "TEMP": TEMPORARY[True],
            "TMP": TEMPORARY[True],
            "USERNAME": "Administrator",
            "USERPROFILE": HOMES[True],
            "windir": "C:\\Windows",
        }
    return {
        "HOME": HOMES[False],
        "HOSTNAME": host_name_of(vm).partition(".")[0],
        "LANG": "C.UTF-8",
        "LOGNAME": "root",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SHELL": "/bin/bash",
        "USER": "root",
    }


HOMES = {False: "/root", True: "C:\\Users\\Administrator"}
"""The administrator's home, by whether it is Windows."""

TEMPORARY = {False: "/tmp", True: "C:\\Users\\Administrator\\AppData\\Local\\Temp"}
"""Where temporary files go, by whether it is Windows."""
