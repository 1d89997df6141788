"""The key of the data directory, by which secrets in the store are sealed."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from resphere.replica.sealing import KEY_BYTES, Sealing


def read_sealing(path: Path) -> Sealing:
    """What seals by the key in ``path``, which is made where it is missing (mode 0600).

    :raises ValueError: the file holds no key.
    :raises OSError: it cannot be read or made.
    """
    if not path.exists():
        make_key(path)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} holds no key: {2 * KEY_BYTES} hexadecimal digits are expected")
    return Sealing(key, secrets.token_bytes)


def make_key(path: Path) -> None:
    """Make a key file, whole and durable before anything can be sealed by it; one that is there stays."""
    unfinished = path.with_name(f".{path.name}-{os.getpid()}")
    descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link takes nobody's place: of two servers that begin at once, the first one's key stays.
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
