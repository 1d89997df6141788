"""Settings that say what an empty store is filled with: a later start that asks for something else is refused.

Whoever starts a server again as before asks for nothing new; whoever leaves these settings out takes what is there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from resphere.inventory.installation import FirstStart, Installation
from resphere.server.settings import Settings, all_settings, flag

INVENTORY = "inventory"
NAMES = tuple(setting.name for setting in all_settings() if setting.described.first_start)


def first_start(settings: Settings, *, simulated: bool) -> FirstStart:
    """What these settings fill a store with; ``simulated``: with virtual machines, too.

    :raises OSError: the inventory file cannot be read.
    """
    if settings.inventory is not None:
        return FirstStart(settings={INVENTORY: str(settings.inventory)}, inventory_sha256=sha256(settings.inventory))
    sizes = (name for name in NAMES if name != INVENTORY and (simulated or name != "vms"))
    return FirstStart(settings={name: str(getattr(settings, name)) for name in sizes})


def require_same(settings: Settings, installation: Installation) -> tuple[str, ...]:
    """Refuse settings that ask for another inventory than the one that is there. Returns the flags of which that cannot
    be told, since an earlier release has filled the store.

    :raises ValueError: names the flag, and what the store was filled with.
    :raises OSError: an inventory file cannot be read.
    """
    given = [name for name in NAMES if name in settings.given]
    filled = installation.first_start
    if filled is None:
        return tuple(flag(name) for name in given)
    for name in given:
        if not _asks_for_the_same(settings, name, filled):
            raise ValueError(
                f"{shown(name, str(getattr(settings, name)))}: {settings.data_dir} was filled at its first start "
                f"({installation.time:%Y-%m-%d}) by {_words(filled)}, and keeps that inventory; "
                f"start without the flag, or name another {flag('data_dir')}"
            )
    return ()


def _asks_for_the_same(settings: Settings, name: str, filled: FirstStart) -> bool:
    value = str(getattr(settings, name))
    if name != INVENTORY or filled.inventory_sha256 is None:
        return value == filled.settings.get(name)
    try:
        return sha256(Path(value)) == filled.inventory_sha256
    except FileNotFoundError:
        # The file has done its work; whoever starts the server as ever need not keep it.
        if value == filled.settings[INVENTORY]:
            return True
        raise


def _words(filled: FirstStart) -> str:
    flags = " ".join(shown(name, value) for name, value in filled.settings.items())
    return f"{flags} as that file was then" if filled.inventory_sha256 is not None else flags


def shown(name: str, value: str) -> str:
    """``--vms 40``."""
    return f"{flag(name)} {value}"


def sha256(path: Path) -> str:
    """The digest of a file's content, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
