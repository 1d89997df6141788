"""What belongs to a store besides its database, in a folder: contents and keys, as a copy and its measure have them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from resphere.store.contents import HOLDING, FolderContents
from resphere.store.copies import CopiedFile, Extent
from resphere.store.keys import key_file


def holder_name() -> str:
    """The name of one who holds contents, which nobody else has."""
    return f"{HOLDING}{os.getpid()}-{secrets.token_hex(4)}"


def held_contents(
    folder: Path, extent: Extent, holder: str, is_alive: Callable[[str], bool], stack: ExitStack
) -> list[CopiedFile]:
    """Every content, under a further name that stays until ``stack`` ends; others see by their own means that the
    ``holder`` is alive meanwhile.

    :raises OSError: one cannot have a further name.
    """
    return [
        CopiedFile(f"{collection}/{name}", path)
        for collection in extent.collections
        for name, path in stack.enter_context(FolderContents(folder / collection, holder, is_alive).held()).items()
    ]


def kept_keys(folder: Path, extent: Extent) -> list[CopiedFile]:
    """Every key that there is."""
    keys = [(key_file(Path(), name).name, key_file(folder, name)) for name in extent.keys]
    return [CopiedFile(name, path) for name, path in keys if path.exists()]


def contents_bytes(folder: Path, extent: Extent) -> int:
    """How much the contents take.

    :raises OSError: one cannot be looked at.
    """
    files = [file for name in extent.collections for file in (folder / name).rglob("*")]
    return sum(file.stat().st_size for file in files if file.is_file())
