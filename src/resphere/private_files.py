"""Files that hold a secret: nobody but their owner, and a group that the owner chose, may read them."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path

FORBIDDEN = stat.S_IRWXO | stat.S_IWGRP
"""What others may not, and what a group may not."""


class Exposed(Exception):
    """A secret that others may have read, or changed; the message says what to do."""


def require_private(path: Path) -> None:
    """Refuse a file that others may read, or that somebody else than its owner may write.

    That a group reads it is well: it is how a key is shared with the user that a server runs as.

    :raises Exposed: they may.
    :raises OSError: the file cannot be looked at.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & FORBIDDEN:
        raise Exposed(
            f"{path} has mode {mode:04o}, so that others may read or change it; make it private by: "
            f"chmod 600 {shlex.quote(str(path))}"
        )
