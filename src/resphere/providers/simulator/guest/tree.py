"""A guest's file system in the making: a working copy of its files, with what POSIX systems and Windows do to them.

Operations follow symbolic links on their way, as the systems do. Those that take a ``link`` take the link itself where
the path's last part is one. Paths in messages are written as they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.inventory.guest import INLINE_BYTES, GuestNode, digest_of
from resphere.providers.simulator.guest.faults import (
    already_there,
    denied,
    file_not_found,
    no_space,
    not_a_directory,
    not_a_file,
    not_empty,
    too_large,
)
from resphere.providers.simulator.guest.paths import Parts, PathStyle

MOST_LINKS = 40
MOST_NODES = 10_000
"""Files and directories that a simulated guest holds."""

FILE, DIRECTORY, SYMLINK = Files.Type.FILE, Files.Type.DIRECTORY, Files.Type.SYMLINK


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a guest's files may hold, in bytes.

    ``document_bytes``: all but the large ones, which are in the memory of every worker. ``program_bytes``: what a
    program reads or writes at once.
    """

    file_bytes: int = 1024 * 1024 * 1024
    disk_bytes: int = 4 * 1024 * 1024 * 1024
    document_bytes: int = 64 * 1024 * 1024
    program_bytes: int = 16 * 1024 * 1024


class Tree:
    """The files of one guest.

    ``stored`` gives the content of a digest or file. What is written beyond :data:`INLINE_BYTES` is in ``contents``, by
    digest; ``files`` are the large contents that were put there. ``mounted`` are files that are on no disk of the
    guest, where it has none of its own.
    """

    def __init__(
        self,
        style: PathStyle,
        nodes: Mapping[str, GuestNode],
        stored: Callable[[str], bytes],
        now: datetime,
        limits: Limits,
        mounted: Mapping[str, GuestNode] | None = None,
    ) -> None:
        self.style = style
        self._mounted = mounted or {}
        self.nodes = {**self._mounted, **nodes}
        self._used = sum(node.size for node in nodes.values())
        self._held = sum(node.size for node in nodes.values() if node.file is None)
        self._children: dict[str, set[str]] | None = None
        self.contents: dict[str, bytes] = {}
        self.files: set[str] = set()
        self.now = now
        self._stored = stored
        self.limits = limits

    @property
    def own_nodes(self) -> dict[str, GuestNode]:
        """The files on the guest's disk, by key."""
        mounted = self._mounted
        if not mounted:
            return self.nodes
        return {key: node for key, node in self.nodes.items() if node is not mounted.get(key)}

    def find(self, path: str, *, link: bool = False) -> tuple[Parts, GuestNode]:
        """Where the path leads, and what is there.

        :raises NotFound: there is nothing.
        """
        parts, node = self.lookup(path, link=link)
        if node is None:
            raise file_not_found(path)
        return parts, node

    def lookup(self, path: str, *, link: bool = False) -> tuple[Parts, GuestNode | None]:
        """Where the path leads, and what is there if anything is; the directory above it is.

        :raises NotFound: the directory above is not there.
        :raises InvalidArgument: the way leads through a file.
        """
        return self._walk(self.style.parse(path), path, link)

    def _walk(self, wanted: Parts, path: str, link: bool) -> tuple[Parts, GuestNode | None]:
        rest, links = list(wanted), 0
        at: Parts = ()
        node: GuestNode | None = self.nodes.get(self.style.key(()))
        while rest:
            part = rest.pop(0)
            if node is None:
                raise file_not_found(path)
            if node.type is not DIRECTORY:
                raise not_a_directory(path)
            if part == "..":
                at = at[:-1]
                node = self.nodes.get(self.style.key(at))
                continue
            here: Parts = (*at, part)
            node = self.nodes.get(self.style.key(here))
            if node is not None and node.type is SYMLINK and (rest or not link):
                links += 1
                if links > MOST_LINKS:
                    raise file_not_found(path)
                target = node.target or ""
                absolute = self.style.is_absolute(target)
                led = tuple(part for part in target.split(self.style.separator) if part not in ("", "."))
                rest = [*led, *rest]
                at = () if absolute else at
                node = self.nodes.get(self.style.key(at))
                continue
            at = (*at, node.name if node is not None else part)
        return at, node

    def directory(self, path: str) -> Parts:
        """The directory that the path leads to.

        :raises InvalidArgument: it is none.
        """
        parts, node = self.find(path)
        if node.type is not DIRECTORY:
            raise not_a_directory(path)
        return parts

    def file(self, path: str) -> tuple[Parts, GuestNode]:
        """The file that the path leads to.

        :raises InvalidArgument: it is a directory.
        """
        parts, node = self.find(path)
        if node.type is not FILE:
            raise not_a_file(path)
        return parts, node

    def children(self, parts: Parts) -> Iterator[tuple[Parts, GuestNode]]:
        """What is in a directory, by name."""
        for key in sorted(self._by_parent.get(self.style.key(parts), ())):
            node = self.nodes[key]
            yield (*parts, node.name), node

    def count_below(self, path: str) -> int:
        """How many files and directories are below a directory."""
        return len(self._keys_below(self.style.key(self.find(path, link=True)[0])))

    @property
    def _by_parent(self) -> dict[str, set[str]]:
        """The keys of what is in each directory, by its key. Made once it is asked for, and kept up from then on."""
        if self._children is None:
            self._children = {}
            for key in self.nodes:
                if key:
                    self._children.setdefault(key.rpartition("/")[0], set()).add(key)
        return self._children

    def _keys_below(self, key: str) -> list[str]:
        """The keys of everything below a directory, each after that of what it is in."""
        found = sorted(self._by_parent.get(key, ()))
        for each in found:
            found += sorted(self._by_parent.get(each, ()))
        return found

    def _store(self, key: str, node: GuestNode) -> None:
        old = self.nodes.get(key)
        if old is not None:
            self._used -= old.size
            self._held -= old.size if old.file is None else 0
        self.nodes[key] = node
        self._used += node.size
        self._held += node.size if node.file is None else 0
        if self._children is not None and key:
            self._children.setdefault(key.rpartition("/")[0], set()).add(key)

    def _drop(self, key: str) -> None:
        node = self.nodes.pop(key, None)
        if node is None:
            return
        self._used -= node.size
        self._held -= node.size if node.file is None else 0
        if self._children is not None:
            self._children[key.rpartition("/")[0]].discard(key)

    def read(self, node: GuestNode) -> bytes:
        """A file's content, for a program.

        :raises InvalidArgument: it is too large for that.
        """
        if node.size > self.limits.program_bytes:
            raise too_large(node.name, self.limits.program_bytes)
        return self.content(node)

    def content(self, node: GuestNode) -> bytes:
        """A file's content, whatever its size."""
        name = node.digest or node.file
        if name is None:
            return node.data
        written = self.contents.get(name)
        return self._stored(name) if written is None else written

    def write(self, path: str, data: bytes, **attributes: Any) -> None:
        """Write a file, new or in place of the one that is there."""
        if len(data) > self.limits.program_bytes:
            raise too_large(path, self.limits.program_bytes)
        digest = digest_of(data) if len(data) > INLINE_BYTES else None
        self._put(path, size=len(data), data=b"" if digest else data, digest=digest, **attributes)
        if digest is not None:
            self.contents[digest] = data

    def write_file(self, path: str, file: str, size: int, **attributes: Any) -> None:
        """Write a file whose content is the large one of that name."""
        self._put(path, size=size, file=file, **attributes)
        self.files.add(file)

    def copy(self, node: GuestNode, path: str) -> None:
        """Write a file with the content and the permissions of another."""
        fields = {"data": node.data, "digest": node.digest, "file": node.file, "permissions": node.permissions}
        self._put(path, size=node.size, **fields)

    def _put(self, path: str, *, size: int, **fields: Any) -> None:
        parts, old = self.lookup(path)
        if old is not None and old.type is DIRECTORY:
            raise not_a_file(path)
        self._require_free(parts, path)
        if old is not None and old.read_only:
            raise denied(f"{path} is read-only")
        self.require_room(path, size, replacing=old)
        if fields.get("file") is None:
            self._require_document_room(path, size, replacing=old)
        base = old or self.made(FILE, parts[-1])
        content = {"size": size, "data": b"", "digest": None, "file": None}
        times = {"modified": self.now, "accessed": self.now}
        self._set(parts, msgspec.structs.replace(base, **{**content, **times, **fields}))

    def require_room(self, path: str, size: int, replacing: GuestNode | None = None) -> None:
        """Refuse what is larger than a file may be, or than there is room for."""
        if size > self.limits.file_bytes:
            raise too_large(path, self.limits.file_bytes)
        used = self._used - (replacing.size if replacing else 0)
        if used + size > self.limits.disk_bytes:
            raise no_space(path)

    def _require_document_room(self, path: str, size: int, replacing: GuestNode | None) -> None:
        """Refuse what the workers would have to hold beside all else."""
        held = self._held - (replacing.size if replacing is not None and replacing.file is None else 0)
        if held + size > self.limits.document_bytes:
            raise no_space(path)

    def make_directory(self, path: str, parents: bool) -> None:
        """Make a directory, and where ``parents`` those above it that are missing.

        :raises AlreadyExists: something is there.
        :raises NotFound: what is above is not there.
        """
        wanted = self.style.parse(path)
        if parents:
            for count in range(1, len(wanted)):
                above = self.style.write(wanted[:count])
                parts, node = self.lookup(above)
                if node is None:
                    self._require_free(parts, path)
                    self._set(parts, self.made(DIRECTORY, parts[-1]))
        parts, node = self.lookup(path, link=True)
        if node is not None:
            raise already_there(path)
        self._require_free(parts, path)
        self._set(parts, self.made(DIRECTORY, parts[-1]))

    def delete_directory(self, path: str, recursive: bool) -> None:
        """Delete a directory, with what is in it only where ``recursive``."""
        parts, node = self.find(path, link=True)
        if node.type is not DIRECTORY:
            raise not_a_directory(path)
        below = self._below(parts)
        if below and not recursive:
            raise not_empty(path)
        self._require_free(parts, path)
        self._remove(parts)

    def delete_file(self, path: str) -> None:
        """Delete a file or symbolic link."""
        parts, node = self.find(path, link=True)
        if node.type is DIRECTORY:
            raise not_a_file(path)
        self._require_free(parts, path)
        if node.read_only and self.style.windows:
            raise denied(f"{path} is read-only")
        self._remove(parts)

    def move_file(self, path: str, new_path: str, overwrite: bool) -> None:
        """Give a file or symbolic link another place or name."""
        parts, node = self.find(path, link=True)
        if node.type is DIRECTORY:
            raise not_a_file(path)
        there, old = self.lookup(new_path, link=True)
        if old is not None and self.style.key(there) != self.style.key(parts):
            if not overwrite or old.type is DIRECTORY:
                raise already_there(new_path)
            self._require_free(there, new_path)
        self._move(parts, there, path, new_path)

    def move_directory(self, path: str, new_path: str) -> None:
        """Give a directory another place or name."""
        parts, node = self.find(path, link=True)
        if node.type is not DIRECTORY:
            raise not_a_directory(path)
        there, old = self.lookup(new_path, link=True)
        if old is not None and self.style.key(there) != self.style.key(parts):
            raise already_there(new_path)
        if there[: len(parts)] == parts and there != parts:
            raise InvalidArgument(
                message("resphere.vm.guest.into_itself", "{0} cannot be moved into itself: {1}.", path, new_path)
            )
        self._move(parts, there, path, new_path)

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link."""
        parts, node = self.lookup(path, link=True)
        if node is not None:
            raise already_there(path)
        self._require_free(parts, path)
        self._set(parts, msgspec.structs.replace(self.made(SYMLINK, parts[-1]), target=target, permissions="0777"))

    def touch(self, path: str) -> None:
        """Make an empty file, or give what is there the present time."""
        _, node = self.lookup(path)
        if node is None:
            self.write(path, b"")
        else:
            self.change(path, modified=self.now, accessed=self.now)

    def change(self, path: str, **attributes: Any) -> None:
        """Change attributes of a file or directory; of a link's target where it is a link."""
        parts, node = self.find(path)
        self._require_free(parts, path)
        self._set(parts, msgspec.structs.replace(node, **attributes))

    def made(self, type: Files.Type, name: str) -> GuestNode:
        """A new file or directory of the administrator's."""
        permissions = "0755" if type is DIRECTORY else "0644"
        return GuestNode(
            name=name, type=type, modified=self.now, accessed=self.now, created=self.now, permissions=permissions
        )

    def _move(self, parts: Parts, there: Parts, path: str, new_path: str) -> None:
        self._require_free(parts, path)
        self._require_free(there, new_path)
        moved = {(): self.nodes[self.style.key(parts)]} | self._below(parts)
        self._remove(parts)
        self._remove(there)
        for relative, node in moved.items():
            name = relative[-1] if relative else there[-1]
            self._store(self.style.key((*there, *relative)), msgspec.structs.replace(node, name=name))

    def _below(self, parts: Parts) -> dict[Parts, GuestNode]:
        """Everything below a directory, by its parts from there."""
        above = self.style.key(parts)
        found: dict[Parts, GuestNode] = {}
        if not parts:
            return found
        for key in self._keys_below(above):
            node = self.nodes[key]
            found[(*key[len(above) + 1 :].split("/")[:-1], node.name)] = node
        return found

    def _remove(self, parts: Parts) -> None:
        key = self.style.key(parts)
        for each in [*reversed(self._keys_below(key)), key]:
            self._drop(each)

    def _set(self, parts: Parts, node: GuestNode) -> None:
        key = self.style.key(parts)
        if key not in self.nodes and len(self.nodes) >= MOST_NODES:
            raise no_space(self.style.write(parts))
        self._store(key, node)

    def _require_free(self, parts: Parts, path: str) -> None:
        """Refuse to touch a root, and what the system keeps to itself."""
        if not parts or (self.style.windows and len(parts) == 1):
            raise denied(f"{path} cannot be changed")
        for count in range(1, len(parts) + 1):
            node = self.nodes.get(self.style.key(parts[:count]))
            if node is not None and node.locked:
                raise denied(f"{path} belongs to the system")
