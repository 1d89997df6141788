"""``com.vmware.vcenter.vm.guest.filesystem.directories``: directories in the guest."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Credentials
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Files
from resphere.inventory.effects import DeleteDirectory, MakeDirectory, MakeTemporary, MoveDirectory
from resphere.services.call import Call
from resphere.services.checks.guest_operations import change
from resphere.services.registry import implements


@implements(Directories.create)
async def create(
    call: Call, vm: ids.VirtualMachineId, credentials: Credentials, path: str, create_parents: bool | None
) -> None:
    """Make a directory in the guest.

    :raises AlreadyExists: something is there.
    """
    await change(
        call,
        vm,
        credentials,
        "GuestFileManager.makeDirectory",
        MakeDirectory(path=path, parents=bool(create_parents)),
    )


@implements(Directories.create_temporary)
async def create_temporary(
    call: Call, vm: ids.VirtualMachineId, credentials: Credentials, prefix: str, suffix: str, parent_path: str | None
) -> str:
    """Make a directory with a name of its own, unset: where the guest has its temporary ones; returns the path."""
    return await make_temporary(call, vm, credentials, Files.Type.DIRECTORY, prefix, suffix, parent_path)


@implements(Directories.delete)
async def delete(
    call: Call, vm: ids.VirtualMachineId, credentials: Credentials, path: str, recursive: bool | None
) -> None:
    """Delete a directory in the guest.

    :raises ResourceInUse: it has content, and ``recursive`` is not set.
    """
    await change(
        call,
        vm,
        credentials,
        "GuestFileManager.deleteDirectory",
        DeleteDirectory(path=path, recursive=bool(recursive)),
    )


@implements(Directories.move)
async def move(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, path: str, new_path: str) -> None:
    """Give a directory another place or name.

    :raises AlreadyExists: something is there.
    """
    await change(
        call,
        vm,
        credentials,
        "GuestFileManager.moveDirectory",
        MoveDirectory(path=path, new_path=new_path),
    )


async def make_temporary(
    call: Call,
    vm: str,
    credentials: Credentials,
    type: Files.Type,
    prefix: str,
    suffix: str,
    parent_path: str | None,
) -> str:
    """Make a temporary file or directory."""
    unique = call.environment.random_bytes(4).hex()
    word = "Directory" if type is Files.Type.DIRECTORY else "File"
    path: str = await change(
        call,
        vm,
        credentials,
        f"GuestFileManager.createTemporary{word}",
        MakeTemporary(type=type, prefix=prefix, suffix=suffix, parent=parent_path, unique=unique),
    )
    return path
