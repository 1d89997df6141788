"""``com.vmware.vcenter.vm.guest.filesystem.files``: files in the guest."""

from __future__ import annotations

import asyncio

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Credentials
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.inventory.effects import DeleteFile, MoveFile, UpdateFile
from resphere.rules.guests import patterns
from resphere.services.call import Call
from resphere.services.checks.guest_operations import change, look
from resphere.services.registry import implements
from resphere.services.vcenter.vm.guest.filesystem.directories import make_temporary

DEFAULT_PAGE = 50


@implements(Files.get)
async def get(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, path: str) -> Files.Info:
    """What a path in the guest leads to."""
    return look(call, vm, credentials).info(path)


@implements(Files.list)
async def list_(
    call: Call,
    vm: ids.VirtualMachineId,
    credentials: Credentials,
    path: str,
    iteration: Files.IterationSpec | None,
    filter: Files.FilterSpec | None,
) -> Files.ListResult:
    """What is in a directory of the guest, 50 entries unless asked otherwise.

    :raises InvalidArgument: a negative page, or a pattern that is none or takes too long.
    """
    given = iteration or Files.IterationSpec()
    size, index = DEFAULT_PAGE if given.size is None else given.size, given.index or 0
    if size < 0 or index < 0:
        raise InvalidArgument(message("resphere.vm.guest.page", "iteration: size and index must not be negative."))
    found = look(call, vm, credentials).summaries(path)
    if filter is not None and filter.match_pattern is not None:
        found = await matching(found, filter.match_pattern)
    page = found[index : index + size]
    return Files.ListResult(
        files=page,
        total=len(found),
        start_index=index if page else None,
        end_index=index + len(page) - 1 if page else None,
        status=Files.LastIterationStatus.END_OF_DATA
        if index + len(page) >= len(found)
        else Files.LastIterationStatus.READY,
    )


@implements(Files.create_temporary)
async def create_temporary(
    call: Call, vm: ids.VirtualMachineId, credentials: Credentials, prefix: str, suffix: str, parent_path: str | None
) -> str:
    """Make a file with a name of its own, unset: where the guest has its temporary ones; returns the path."""
    return await make_temporary(call, vm, credentials, Files.Type.FILE, prefix, suffix, parent_path)


@implements(Files.update)
async def update(
    call: Call,
    vm: ids.VirtualMachineId,
    credentials: Credentials,
    path: str,
    file_attributes: Files.FileAttributesUpdateSpec,
) -> None:
    """Change the attributes of a file or directory in the guest.

    :raises InvalidArgument: they are of the other family of systems, or no permissions.
    """
    await change(
        call,
        vm,
        credentials,
        "GuestFileManager.changeFileAttributes",
        UpdateFile(path=path, attributes=file_attributes),
    )


@implements(Files.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, path: str) -> None:
    """Delete a file in the guest."""
    await change(call, vm, credentials, "GuestFileManager.deleteFile", DeleteFile(path=path))


@implements(Files.move)
async def move(
    call: Call, vm: ids.VirtualMachineId, credentials: Credentials, path: str, new_path: str, overwrite: bool | None
) -> None:
    """Give a file another place or name.

    :raises AlreadyExists: something is there, and ``overwrite`` is not set.
    """
    await change(
        call,
        vm,
        credentials,
        "GuestFileManager.moveFile",
        MoveFile(path=path, new_path=new_path, overwrite=bool(overwrite)),
    )


async def matching(found: tuple[Files.Summary, ...], pattern: str) -> tuple[Files.Summary, ...]:
    """Those whose names have a match of a Perl-compatible pattern. Others are served meanwhile.

    :raises InvalidArgument: it is none, or asks for too much.
    """
    names = [each.filename for each in found]
    try:
        positions = await asyncio.to_thread(lambda: list(patterns.matching(names, pattern)))
    except patterns.PatternFault as fault:
        raise InvalidArgument(message("resphere.vm.guest.pattern", "filter.match_pattern: {0}.", fault)) from None
    return tuple(found[position] for position in positions)
