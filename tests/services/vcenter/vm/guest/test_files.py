"""Files and directories in the simulated guest, by the operations of vCenter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInUse,
    ServiceUnavailable,
    Unauthenticated,
    Unauthorized,
    Unsupported,
    VapiError,
)
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Power, Tools
from resphere.contract.generated.vcenter_vm_guest import Credentials
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Files
from resphere.contract.model import Secret
from resphere.inventory.guest import GuestSystem
from resphere.inventory.model import VirtualMachine
from tests.support.guests import ADMINISTRATOR, ROOT, ready_vm
from tests.support.world import NOW, World

Id = ids.VirtualMachineId


def names(world: World, vm: Id, path: str, credentials: Credentials = ROOT) -> list[str]:
    listed = world.call(Files.list, vm, credentials, path, Files.IterationSpec(size=1000), None)
    return [each.filename for each in listed.files]


def reason(error: VapiError) -> tuple[str, str]:
    details: Any = error.data
    return str(details.reason), details.file_path


def test_looking_stores_nothing(world: World, vm: Id) -> None:
    assert {"etc", "root", "tmp", "usr"} <= set(names(world, vm, "/"))
    found = world.call(Files.get, vm, ROOT, "/etc/hostname")
    assert (found.type, found.attributes.filesystem_family) == (Files.Type.FILE, Files.FilesystemFamily.POSIX)
    assert found.size > 1
    assert world.inventory.get(GuestSystem, vm) is None


def test_directories_come_and_go(world: World, vm: Id) -> None:
    world.call(Directories.create, vm, ROOT, "/srv/a/b", True)
    world.call(Directories.move, vm, ROOT, "/srv/a", "/srv/c")
    assert names(world, vm, "/srv") == ["c"]
    assert names(world, vm, "/srv/c") == ["b"]
    with pytest.raises(ResourceInUse) as refusal:
        world.call(Directories.delete, vm, ROOT, "/srv/c", None)
    assert reason(refusal.value) == ("DIRECTORY_NOT_EMPTY", "/srv/c")
    world.call(Directories.delete, vm, ROOT, "/srv/c", True)
    assert names(world, vm, "/srv") == []


def test_files_are_moved_and_deleted(world: World, vm: Id) -> None:
    one = world.call(Files.create_temporary, vm, ROOT, "pre", ".txt", None)
    other = world.call(Files.create_temporary, vm, ROOT, "pre", ".txt", "/var/tmp")
    assert one != other
    assert one.startswith("/tmp/pre")
    assert one.endswith(".txt")
    world.call(Files.move, vm, ROOT, one, "/tmp/x", None)
    with pytest.raises(AlreadyExists) as refusal:
        world.call(Files.move, vm, ROOT, other, "/tmp/x", None)
    assert refusal.value.messages[0].id == "vmsg.FileAlreadyExists.summary"
    world.call(Files.move, vm, ROOT, other, "/tmp/x", True)
    assert (names(world, vm, "/tmp"), names(world, vm, "/var/tmp")) == (["x"], [])
    world.call(Files.delete, vm, ROOT, "/tmp/x")
    assert names(world, vm, "/tmp") == []


def test_a_temporary_directory_is_the_users_own(world: World, vm: Id) -> None:
    path = world.call(Directories.create_temporary, vm, ROOT, "", "", None)
    found = world.call(Files.get, vm, ROOT, path)
    assert found.type is Files.Type.DIRECTORY
    assert found.attributes.posix_attributes is not None
    assert found.attributes.posix_attributes.permissions == "0700"


def test_attributes_change(world: World, vm: Id) -> None:
    spec = Files.FileAttributesUpdateSpec(
        last_modified=NOW, posix=Files.PosixFileAttributesUpdateSpec(owner_id=7, permissions="600")
    )
    world.call(Files.update, vm, ROOT, "/etc/hostname", spec)
    found = world.call(Files.get, vm, ROOT, "/etc/hostname").attributes
    assert found.last_modified == NOW
    assert found.posix_attributes == Files.PosixFileAttributesInfo(owner=7, group=0, permissions="0600")


@pytest.mark.parametrize(
    ("spec", "message_id"),
    [
        (
            Files.FileAttributesUpdateSpec(windows=Files.WindowsFileAttributesUpdateSpec(hidden=True)),
            "wrong_attributes",
        ),
        (Files.FileAttributesUpdateSpec(posix=Files.PosixFileAttributesUpdateSpec(permissions="rwx")), "permissions"),
    ],
)
def test_attributes_that_do_not_fit(
    world: World, vm: Id, spec: Files.FileAttributesUpdateSpec, message_id: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        world.call(Files.update, vm, ROOT, "/etc/hostname", spec)
    assert refusal.value.messages[0].id == f"resphere.vm.guest.{message_id}"


def test_lists_by_page_and_pattern(world: World, vm: Id) -> None:
    everything = names(world, vm, "/etc")
    page = world.call(Files.list, vm, ROOT, "/etc", Files.IterationSpec(size=2, index=1), None)
    assert [each.filename for each in page.files] == everything[1:3]
    assert (page.total, page.start_index, page.end_index) == (len(everything), 1, 2)
    assert page.status is Files.LastIterationStatus.READY
    beyond = world.call(Files.list, vm, ROOT, "/etc", Files.IterationSpec(index=99), None)
    assert (beyond.files, beyond.start_index, beyond.end_index) == ((), None, None)
    found = world.call(Files.list, vm, ROOT, "/etc", None, Files.FilterSpec(match_pattern="^host"))
    assert [each.filename for each in found.files] == ["hostname", "hosts"]
    assert found.status is Files.LastIterationStatus.END_OF_DATA
    (one,) = world.call(Files.list, vm, ROOT, "/etc/hostname", None, None).files
    assert one.filename == "hostname"


def test_a_pattern_takes_no_time_from_others(world: World, vm: Id) -> None:
    world.call(Directories.create, vm, ROOT, "/srv/" + "a" * 200 + "!", None)
    with pytest.raises(InvalidArgument) as refusal:
        world.call(Files.list, vm, ROOT, "/srv", None, Files.FilterSpec(match_pattern="^(a|a?|[^b])+$(?<=c)"))
    assert refusal.value.messages[0].id == "resphere.vm.guest.pattern"
    with pytest.raises(InvalidArgument):
        world.call(Files.list, vm, ROOT, "/srv", None, Files.FilterSpec(match_pattern="("))
    with pytest.raises(InvalidArgument):
        world.call(Files.list, vm, ROOT, "/srv", Files.IterationSpec(size=-1), None)


REFUSALS: list[tuple[Callable[[World, Id], object], type[VapiError], str]] = [
    (lambda w, vm: w.call(Files.get, vm, ROOT, "/none"), NotFound, "FILE_NOT_FOUND"),
    (lambda w, vm: w.call(Files.list, vm, ROOT, "/none", None, None), NotFound, "FILE_NOT_FOUND"),
    (lambda w, vm: w.call(Files.delete, vm, ROOT, "/etc"), InvalidArgument, "NOT_A_FILE"),
    (lambda w, vm: w.call(Files.move, vm, ROOT, "/etc", "/x", None), InvalidArgument, "NOT_A_FILE"),
    (lambda w, vm: w.call(Files.get, vm, ROOT, "/etc/hosts/x"), InvalidArgument, "NOT_A_DIRECTORY"),
    (lambda w, vm: w.call(Files.get, vm, ROOT, "/" + "a" * 256), InvalidArgument, "PATH_TOO_LONG"),
    (lambda w, vm: w.call(Directories.create, vm, ROOT, "/a/b", None), NotFound, "FILE_NOT_FOUND"),
    (lambda w, vm: w.call(Directories.delete, vm, ROOT, "/etc/hosts", None), InvalidArgument, "NOT_A_DIRECTORY"),
    (lambda w, vm: w.call(Directories.move, vm, ROOT, "/etc/hosts", "/x"), InvalidArgument, "NOT_A_DIRECTORY"),
    (
        lambda w, vm: w.call(Files.create_temporary, vm, ROOT, "", "", "/etc/hosts"),
        InvalidArgument,
        "NOT_A_DIRECTORY",
    ),
    (lambda w, vm: w.call(Directories.create_temporary, vm, ROOT, "", "", "/none"), NotFound, "FILE_NOT_FOUND"),
    (
        lambda w, vm: w.call(Files.update, vm, ROOT, "/none", Files.FileAttributesUpdateSpec()),
        NotFound,
        "FILE_NOT_FOUND",
    ),
]


@pytest.mark.parametrize(("act", "kind", "why"), REFUSALS)
def test_refusals_have_details(
    world: World, vm: Id, act: Callable[[World, Id], object], kind: type[VapiError], why: str
) -> None:
    with pytest.raises(kind) as refusal:
        act(world, vm)
    assert reason(refusal.value)[0] == why
    assert world.inventory.get(GuestSystem, vm) is None


def test_what_is_there_is_not_made_again(world: World, vm: Id) -> None:
    with pytest.raises(AlreadyExists):
        world.call(Directories.create, vm, ROOT, "/etc", True)
    with pytest.raises(AlreadyExists):
        world.call(Directories.move, vm, ROOT, "/srv", "/etc")
    with pytest.raises(InvalidArgument) as refusal:
        world.call(Directories.move, vm, ROOT, "/srv", "/srv/x")
    assert refusal.value.messages[0].id == "resphere.vm.guest.into_itself"


@pytest.mark.parametrize("path", ["/proc/x", "/sys/a"])
def test_the_system_keeps_some_to_itself(world: World, vm: Id, path: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        world.call(Directories.create, vm, ROOT, path, None)
    assert refusal.value.messages[0].id == "vmsg.GuestPermissionDenied.summary"
    with pytest.raises(Unauthorized):
        world.call(Directories.delete, vm, ROOT, "/", True)


@pytest.mark.parametrize("path", ["", "relative", "/a\0b", "C:\\Temp"])
def test_what_is_no_path(world: World, vm: Id, path: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        world.call(Files.get, vm, ROOT, path)
    assert refusal.value.messages[0].id == "resphere.vm.guest.path"


def test_windows_has_its_own_ways(world: World) -> None:
    vm = ready_vm(world, GuestOSFamily.WINDOWS)
    world.call(Directories.create, vm, ADMINISTRATOR, "c:\\temp\\Logs", None)
    assert names(world, vm, "C:/TEMP", ADMINISTRATOR) == ["Logs"]
    spec = Files.FileAttributesUpdateSpec(windows=Files.WindowsFileAttributesUpdateSpec(hidden=True, read_only=True))
    world.call(Files.update, vm, ADMINISTRATOR, "C:\\Windows\\win.ini", spec)
    found = world.call(Files.get, vm, ADMINISTRATOR, "C:\\WINDOWS\\WIN.INI").attributes
    assert found.win_attributes is not None
    assert (found.win_attributes.hidden, found.win_attributes.read_only) == (True, True)
    with pytest.raises(Unauthorized):
        world.call(Files.delete, vm, ADMINISTRATOR, "C:\\Windows\\win.ini")
    with pytest.raises(Unauthorized):
        world.call(Files.list, vm, ADMINISTRATOR, "C:\\System Volume Information", None, None)
    for path in ("/etc", "C:\\a|b", "temp"):
        with pytest.raises(InvalidArgument) as refusal:
            world.call(Files.get, vm, ADMINISTRATOR, path)
        assert refusal.value.messages[0].id == "resphere.vm.guest.path"


def test_who_is_let_in(world: World, vm: Id) -> None:
    wrong = msgspec.structs.replace(ROOT, password=Secret("wrong"))
    for credentials in (wrong, ADMINISTRATOR, msgspec.structs.replace(ROOT, user_name=None)):
        with pytest.raises(Unauthenticated) as refusal:
            world.call(Files.get, vm, credentials, "/etc")
        assert refusal.value.messages[0].id == "vmsg.InvalidGuestLogin.summary"
        assert "wrong" not in str(refusal.value)
    saml = Credentials(interactive_session=False, type=Credentials.Type.SAML_BEARER_TOKEN, saml_token=Secret("<saml/>"))
    interactive = msgspec.structs.replace(ROOT, interactive_session=True)
    for credentials, message_id in ((saml, "saml"), (interactive, "interactive")):
        with pytest.raises(Unsupported) as unsupported:
            world.call(Files.get, vm, credentials, "/etc")
        assert unsupported.value.messages[0].id == f"resphere.vm.guest.{message_id}"


def test_the_vm_must_run_with_its_tools(world: World, vm: Id) -> None:
    found = world.inventory.get(VirtualMachine, vm)
    assert found is not None
    stopped = msgspec.structs.replace(found.tools, run_state=Tools.RunState.NOT_RUNNING)
    world.change(found, tools=stopped)
    with pytest.raises(ServiceUnavailable) as refusal:
        world.call(Files.get, vm, ROOT, "/etc")
    assert refusal.value.messages[0].id == "com.vmware.api.vcenter.vm.guest.tools_not_running"
    world.call(Power.stop, vm)
    with pytest.raises(NotAllowedInCurrentState) as off:
        world.call(Directories.create, vm, ROOT, "/x", None)
    assert [each.id for each in off.value.messages] == [
        "resphere.vm.guest.power_state",
        "vmsg.InvalidPowerState.summary",
    ]
    with pytest.raises(NotFound) as unknown:
        world.call(Files.get, Id("vm-999999"), ROOT, "/etc")
    assert unknown.value.messages[0].id == "com.vmware.api.vcenter.vm.not_found"
