"""Backups and restorations of a test's own: of a store in a folder, to places on this machine."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from resphere.fetching.allowed import read_rules
from resphere.recovery.backups import About, Backups
from resphere.recovery.means import read_folders
from resphere.recovery.places.base import Means
from resphere.recovery.recovery import Recovery
from resphere.recovery.restoring import Restores
from resphere.recovery.threads import Threads
from resphere.replica.replica import Replica
from resphere.server.recovery import ServerArchives
from resphere.server.settings import Settings
from resphere.store.base import Store

EXPORT = "nfs://nas.example.com/exports"
"""What stands for the folder ``nas`` beside the store."""
ABOUT = About("vc.example.com", "8.0.3.00000", "24022515")


def recovery_of(
    folder: Path, store: Store, replica: Replica, now: Callable[[], datetime], owner: str = "test"
) -> Recovery:
    """All of it for one worker."""
    nas = folder / "nas"
    settings = Settings(data_dir=folder, backup_to=("127.0.0.1", "localhost"), backup_folders=(f"{EXPORT}={nas}",))
    threads = Threads()
    archives = ServerArchives(settings, store, replica, threads, now)
    means = Means(allowed=read_rules(settings.backup_to), folders=read_folders(settings.backup_folders))
    backups = Backups(replica, archives, means, ABOUT, owner, threads, now, random.Random(8).randbytes)
    restores = Restores(replica, archives, means, owner, threads, now)
    return Recovery(replica, archives, backups, restores, threads, owner, lambda _: True, now)
