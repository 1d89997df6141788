"""All of it together, in one worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from resphere.recovery.archives import Archives
from resphere.recovery.backups import Backups
from resphere.recovery.reconciling import Reconciliations
from resphere.recovery.record import BackupJob, RestoreJob, State, Work
from resphere.recovery.restoring import Restores
from resphere.recovery.scheduling import BackupSchedules
from resphere.recovery.threads import Threads
from resphere.recovery.work import KINDS, failed, interrupted
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


class Recovery:
    """Backups, their schedules, restorations; ``is_alive`` tells whether the worker of a name still runs."""

    def __init__(
        self,
        replica: Replica,
        archives: Archives,
        backups: Backups,
        restores: Restores,
        threads: Threads,
        owner: str,
        is_alive: Callable[[str], bool],
        now: Callable[[], datetime],
    ) -> None:
        self.archives = archives
        self.backups = backups
        self.restores = restores
        self.schedules = BackupSchedules(replica, backups, now)
        self.reconciliations = Reconciliations(replica, owner, now)
        self._replica = replica
        self._threads = threads
        self._owner = owner
        self._is_alive = is_alive
        self._now = now

    async def close(self) -> None:
        """Stop what is in progress."""
        await self.backups.runner.close()
        await self.restores.runner.close()
        await self.reconciliations.runner.close()
        self._threads.close()

    async def sweep(self) -> int:
        """Say of work whose worker is no more that it has failed; returns how much there was."""
        found = 0
        for kind in KINDS:
            for work in list(self._replica.by(kind, "state", State.RUNNING.value).values()):
                if work.owner != self._owner and not self._is_alive(work.owner):
                    found += await self._replica.change(partial(self._fail, kind=kind, id=work.id))
        return found

    def _fail(self, edit: Edit, kind: type[Work], id: str) -> int:
        work = edit.get(kind, id)
        if work is None or work.state is not State.RUNNING or self._is_alive(work.owner):
            return 0
        edit.put(failed(work, interrupted(), self._now()))
        return 1

    async def cancel(self, kind: type[BackupJob] | type[RestoreJob], id: str) -> bool:
        """Ask for the end of work; false where it has ended, or cannot be stopped any more."""

        def plan(edit: Edit) -> bool:
            work = edit.get(kind, id)
            if work is None or work.state is not State.RUNNING or work.final:
                return False
            edit.put(msgspec.structs.replace(work, cancel_requested=True))
            return True

        return await self._replica.change(plan)
