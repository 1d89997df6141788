"""Refusals from inside a guest, with the ids of vCenter's faults and, where the contract has it, their details."""

from __future__ import annotations

from enum import StrEnum

from resphere.contract import model as m
from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceInUse,
    UnableToAllocateResource,
    Unauthorized,
    vim_message,
)


class Reason(StrEnum):
    """Why an operation on a file failed; the contract's ``ErrorReason``."""

    NOT_A_FILE = "NOT_A_FILE"
    NOT_A_DIRECTORY = "NOT_A_DIRECTORY"
    PATH_TOO_LONG = "PATH_TOO_LONG"
    FILE_NOT_FOUND = "FILE_NOT_FOUND"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    NO_DISK_SPACE = "NO_DISK_SPACE"
    DIRECTORY_NOT_EMPTY = "DIRECTORY_NOT_EMPTY"


class FileErrorDetails(m.Struct, frozen=True, kw_only=True):
    """What an error about a file says besides its messages."""

    __vapi_name__ = "com.vmware.vcenter.vm.guest.filesystem.file_error_details"
    reason: Reason
    file_path: str


class ProcessErrorDetails(m.Struct, frozen=True, kw_only=True):
    """What an error about a process says besides its messages."""

    __vapi_name__ = "com.vmware.vcenter.vm.guest.processes.process_error_details"
    pid: m.Long


def file_not_found(path: str) -> NotFound:
    """There is no such file or directory."""
    return NotFound(
        vim_message("vmsg.FileNotFound.summary", "File {0} was not found.", path),
        data=FileErrorDetails(reason=Reason.FILE_NOT_FOUND, file_path=path),
    )


def not_a_file(path: str) -> InvalidArgument:
    """It is a directory."""
    return InvalidArgument(
        vim_message("vmsg.NotAFile.summary", "{0} is not a file.", path),
        data=FileErrorDetails(reason=Reason.NOT_A_FILE, file_path=path),
    )


def not_a_directory(path: str) -> InvalidArgument:
    """It is a file, or the way leads through one."""
    return InvalidArgument(
        vim_message("vmsg.NotADirectory.summary", "{0} is not a directory.", path),
        data=FileErrorDetails(reason=Reason.NOT_A_DIRECTORY, file_path=path),
    )


def path_too_long(path: str) -> InvalidArgument:
    """The path, or a name in it, is longer than the guest's system allows."""
    shown = path[:200]
    return InvalidArgument(
        vim_message("vmsg.FileNameTooLong.summary", "The path beginning with {0} is too long.", shown),
        data=FileErrorDetails(reason=Reason.PATH_TOO_LONG, file_path=shown),
    )


def too_large(path: str, most_bytes: int) -> InvalidArgument:
    """More than a file of a simulated guest may have."""
    return InvalidArgument(
        vim_message(
            "vmsg.FileTooLarge.summary",
            "File {0} is larger than the {1} bytes that this server takes.",
            path,
            most_bytes,
        ),
        data=FileErrorDetails(reason=Reason.FILE_TOO_LARGE, file_path=path),
    )


def no_space(path: str) -> UnableToAllocateResource:
    """The guest's disk is full."""
    return UnableToAllocateResource(
        vim_message("vmsg.NoDiskSpace.summary", "There is no space left on the guest's disk for {0}.", path),
        data=FileErrorDetails(reason=Reason.NO_DISK_SPACE, file_path=path),
    )


def already_there(path: str) -> AlreadyExists:
    """There is something of that name."""
    return AlreadyExists(vim_message("vmsg.FileAlreadyExists.summary", "{0} already exists.", path))


def not_empty(path: str) -> ResourceInUse:
    """The directory has content."""
    return ResourceInUse(
        vim_message("vmsg.DirectoryNotEmpty.summary", "The directory {0} is not empty.", path),
        data=FileErrorDetails(reason=Reason.DIRECTORY_NOT_EMPTY, file_path=path),
    )


def denied(what: str) -> Unauthorized:
    """The guest's own permissions forbid it."""
    return Unauthorized(
        vim_message("vmsg.GuestPermissionDenied.summary", "The guest operating system does not permit it: {0}.", what)
    )


def no_process(pid: int) -> NotFound:
    """No process has that number."""
    return NotFound(
        vim_message("vmsg.GuestProcessNotFound.summary", "There is no process {0} in the guest.", pid),
        data=ProcessErrorDetails(pid=pid),
    )
