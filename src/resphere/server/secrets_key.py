"""The key of secrets that is given from outside: in a file, in the environment, or by a command."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import msgspec

from resphere.private_files import Exposed, require_private
from resphere.server.settings import Settings, flag, variable

DIGITS = re.compile(r"[0-9A-Fa-f]{64}\Z")
COMMAND_SECONDS = 60


def given_key(settings: Settings) -> bytes | None:
    """The key that the settings give, ``None`` where the store keeps its own. Blocking: a command may be run.

    :raises ValueError: it is no key, or cannot be had; names the setting, and tells nothing of what was there.
    """
    if settings.secrets_key is not None:
        return key_in(settings.secrets_key, variable("secrets_key"))
    if settings.secrets_key_file is not None:
        return key_of_file(settings.secrets_key_file, flag("secrets_key_file"))
    if settings.secrets_key_command is not None:
        return key_of_command(settings.secrets_key_command, flag("secrets_key_command"))
    return None


def with_key_at_hand(settings: Settings) -> Settings:
    """The settings with the key itself, so that a command runs once and not for each worker.

    :raises ValueError: as :func:`given_key`.
    """
    key = given_key(settings)
    if key is None:
        return settings
    return msgspec.structs.replace(settings, secrets_key=key.hex(), secrets_key_file=None, secrets_key_command=None)


def key_of_file(path: Path, name: str) -> bytes:
    """The key in a file.

    :raises ValueError: there is none, or others may read it.
    """
    try:
        require_private(path)
        return key_in(path.read_text(encoding="ascii", errors="replace"), f"{name} {path}")
    except Exposed as error:
        raise ValueError(f"{name}: {error}") from None
    except OSError as error:
        raise ValueError(f"{name}: cannot read {path}: {error.strerror}") from None


def key_of_command(command: str, name: str) -> bytes:
    """The key that a command writes.

    :raises ValueError: it writes none, or fails.
    """
    try:
        words = shlex.split(command)
        run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{name}: cannot run it: {error}") from None
    except subprocess.TimeoutExpired:
        raise ValueError(f"{name}: it has not ended within {COMMAND_SECONDS} seconds") from None
    if run.returncode != 0:
        # What it has written may be the key.
        raise ValueError(f"{name}: it ended with status {run.returncode}")
    return key_in(run.stdout.decode("ascii", "replace"), name)


def key_in(text: str, name: str) -> bytes:
    """The key that a text is.

    :raises ValueError: it is none.
    """
    if not DIGITS.match(text.strip()):
        raise ValueError(f"{name} must hold 64 hexadecimal digits, as `openssl rand -hex 32` writes them")
    return bytes.fromhex(text.strip())
