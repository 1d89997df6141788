"""Making files and folders last."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make durable which files are in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(folder: Path) -> None:
    """Have all that is to be written to the file system of a folder go to the disk at once, where the system can do so:
    what is synced one by one after that has nothing left to wait for. It promises nothing by itself."""
    sync = getattr(ctypes.CDLL(None), "syncfs", None)
    if sync is not None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make durable all that is in a folder, at any depth."""
    for path in folder.iterdir():
        if path.is_dir():
            sync_tree(path)
        else:
            sync_folder(path)  # which does for a file, too
    sync_folder(folder)
