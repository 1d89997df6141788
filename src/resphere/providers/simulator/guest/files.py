"""The files of a simulated guest, in the contract's terms."""

from __future__ import annotations

from typing import Any

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files, Transfers
from resphere.inventory.effects import (
    DeleteDirectory,
    DeleteFile,
    FileChange,
    MakeDirectory,
    MakeTemporary,
    MoveDirectory,
    MoveFile,
    UpdateFile,
)
from resphere.inventory.guest import GuestNode
from resphere.providers.simulator.guest.faults import already_there, denied, not_a_file
from resphere.providers.simulator.guest.image import TEMPORARY
from resphere.providers.simulator.guest.tree import DIRECTORY, SYMLINK, Tree


class SimulatedFiles:
    """:class:`resphere.providers.base.GuestFiles` of a tree."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def info(self, path: str) -> Files.Info:
        _, node = self.tree.find(path, link=True)
        windows = self.tree.style.windows
        family = Files.FilesystemFamily.WINDOWS if windows else Files.FilesystemFamily.POSIX
        return Files.Info(
            type=node.type,
            size=node.size,
            attributes=Files.FileAttributesInfo(
                last_modified=node.modified,
                last_accessed=node.accessed,
                symlink_target=node.target,
                filesystem_family=family,
                win_attributes=_windows_attributes(node) if windows else None,
                posix_attributes=None if windows else _posix_attributes(node),
            ),
        )

    def summaries(self, path: str) -> tuple[Files.Summary, ...]:
        parts, node = self.tree.find(path)
        if node.type is not DIRECTORY:
            return (_summary(node),)
        if node.locked and self.tree.style.windows:
            raise denied(f"{path} cannot be listed")
        return tuple(_summary(each) for _, each in self.tree.children(parts))

    def make_directory(self, path: str, parents: bool) -> None:
        self.tree.make_directory(path, parents)

    def delete_directory(self, path: str, recursive: bool) -> None:
        self.tree.delete_directory(path, recursive)

    def move_directory(self, path: str, new_path: str) -> None:
        self.tree.move_directory(path, new_path)

    def delete_file(self, path: str) -> None:
        self.tree.delete_file(path)

    def move_file(self, path: str, new_path: str, overwrite: bool) -> None:
        self.tree.move_file(path, new_path, overwrite)

    def make_temporary(self, type: Files.Type, prefix: str, suffix: str, parent: str | None, unique: str) -> str:
        style = self.tree.style
        style.name(prefix, "prefix")
        style.name(suffix, "suffix")
        above = self.tree.directory(parent or TEMPORARY[style.windows])
        path = style.write((*above, f"{prefix}{unique}{suffix}"))
        if type is DIRECTORY:
            self.tree.make_directory(path, False)
            self.tree.change(path, permissions="0700")
        else:
            self.tree.write(path, b"", permissions="0600")
        return path

    def update(self, path: str, attributes: Files.FileAttributesUpdateSpec) -> None:
        self._require_fitting("file_attributes", attributes.windows, attributes.posix)
        self.tree.change(path, **_given(attributes))

    def sent(self, path: str) -> GuestNode:
        """The file that a path leads to, to be sent out of the guest."""
        self._require_no_link(path)
        return self.tree.file(path)[1]

    def require_writable(self, path: str, attributes: Transfers.FileCreationAttributes) -> None:
        """Refuse a file that could not be put there.

        :raises AlreadyExists: it is there, and may not be overwritten.
        :raises UnableToAllocateResource: there is no room for it.
        """
        self._require_fitting("spec.attributes", attributes.windows, attributes.posix)
        if attributes.size < 0:
            raise InvalidArgument(message("resphere.vm.guest.size", "spec.attributes.size: must not be negative."))
        _given(attributes)
        _, node = self.tree.lookup(path, link=True)
        if node is not None and node.type is not Files.Type.FILE:
            raise not_a_file(path)
        if node is not None and not attributes.overwrite:
            raise already_there(path)
        self.tree.require_room(path, attributes.size, replacing=node)

    def put(self, path: str, data: bytes, attributes: Transfers.FileCreationAttributes) -> None:
        """Put a file there."""
        self.require_writable(path, attributes)
        self.tree.write(path, data, **self._fresh(attributes))

    def put_file(self, path: str, file: str, attributes: Transfers.FileCreationAttributes) -> None:
        """Put a file there whose content is the large one of that name."""
        self.require_writable(path, attributes)
        self.tree.write_file(path, file, attributes.size, **self._fresh(attributes))

    def _fresh(self, attributes: Transfers.FileCreationAttributes) -> dict[str, Any]:
        """A new file's attributes. Those of one that is overwritten are lost: "not preserved", as vCenter says."""
        fresh = {"owner": 0, "group": 0, "permissions": "0644", "hidden": False, "read_only": False}
        return {**fresh, "created": self.tree.now, **_given(attributes)}

    def _require_no_link(self, path: str) -> None:
        _, node = self.tree.find(path, link=True)
        if node.type is SYMLINK:
            raise not_a_file(path)

    def _require_fitting(self, field: str, windows: object | None, posix: object | None) -> None:
        """Attributes of the other family do not apply."""
        wrong = "posix" if self.tree.style.windows else "windows"
        if (posix if self.tree.style.windows else windows) is not None:
            raise InvalidArgument(
                message(
                    "resphere.vm.guest.wrong_attributes",
                    "{0}.{1}: must be unset, for the guest operating system is of the other family.",
                    field,
                    wrong,
                )
            )


def _summary(node: GuestNode) -> Files.Summary:
    return Files.Summary(filename=node.name, type=node.type, size=node.size)


def _windows_attributes(node: GuestNode) -> Files.WindowsFileAttributesInfo:
    return Files.WindowsFileAttributesInfo(hidden=node.hidden, read_only=node.read_only, created=node.created)


def _posix_attributes(node: GuestNode) -> Files.PosixFileAttributesInfo:
    return Files.PosixFileAttributesInfo(owner=node.owner, group=node.group, permissions=node.permissions)


def _given(attributes: Files.FileAttributesUpdateSpec | Transfers.FileCreationAttributes) -> dict[str, Any]:
    """Those attributes that are set, by their names here."""
    windows, posix = attributes.windows, attributes.posix
    values = {
        "modified": attributes.last_modified,
        "accessed": attributes.last_accessed,
        "hidden": windows.hidden if windows else None,
        "read_only": windows.read_only if windows else None,
        "owner": posix.owner_id if posix else None,
        "group": posix.group_id if posix else None,
        "permissions": _permissions(posix.permissions) if posix and posix.permissions is not None else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _permissions(text: str) -> str:
    """Octal permissions with all four digits.

    :raises InvalidArgument: they are none.
    """
    if not 1 <= len(text) <= 4 or not set(text) <= set("01234567"):
        raise InvalidArgument(
            message(
                "resphere.vm.guest.permissions", "permissions: must be octal, such as 0644, and not '{0}'.", text[:20]
            )
        )
    return text.zfill(4)


def changed(files: SimulatedFiles, change: FileChange) -> str | None:
    """Make the change; returns the path of what was made under a name that nobody chose."""
    match change:
        case MakeDirectory():
            files.make_directory(change.path, change.parents)
        case DeleteDirectory():
            files.delete_directory(change.path, change.recursive)
        case MoveDirectory():
            files.move_directory(change.path, change.new_path)
        case DeleteFile():
            files.delete_file(change.path)
        case MoveFile():
            files.move_file(change.path, change.new_path, change.overwrite)
        case UpdateFile():
            files.update(change.path, change.attributes)
        case MakeTemporary():
            return files.make_temporary(change.type, change.prefix, change.suffix, change.parent, change.unique)
    return None
