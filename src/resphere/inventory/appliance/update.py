"""The update of the appliance: where it is looked for, what is staged, and what has become of it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.contract.generated.appliance import Update
from resphere.contract.generated.appliance_update import Policy
from resphere.contract.model import LocalizableMessage
from resphere.inventory.appliance.setting import Setting
from resphere.replica.table import Lookup, Table

ONLY = "update"
"""The id of the one there is."""


class UpdatePolicy(Setting, frozen=True, kw_only=True, tag="update_policy"):
    """When and where updates are looked for."""

    about: ClassVar[str] = "policy of updates: the repository's address, its user, the times at which it is looked into"

    custom_url: str | None = None
    username: str | None = None
    password: str | None = None
    check_schedule: tuple[Policy.Time, ...] = ()
    auto_stage: bool = False
    certificate_check: bool = True


class UpdateWork(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is being done, or was done last, for ``version`` by ``user``: ``operation`` names it, ``previous`` is what
    was installed. Times are aware, in UTC; it is over at ``ends``. ``error`` says why it is not done in the end."""

    operation: str
    version: str
    component: str | None = None
    previous: str
    user: str
    started: datetime
    ends: datetime
    canceled: bool = False
    error: LocalizableMessage | None = None


class UpdateStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """``version`` is what is installed, as far as updates go (unset: what the server says it is); ``previous`` what was
    before the last one, which a rollback brings back. ``staged`` is what can be installed."""

    kind: ClassVar[str] = "appliance_update"

    id: str = ONLY
    version: str | None = None
    previous: str | None = None
    rollback_possible: bool = False
    staged: str | None = None
    staged_component: str | None = None
    queried: datetime | None = None
    state: Update.State | None = None
    work: UpdateWork | None = None


APPLIANCE_UPDATES = Table(cls=UpdateStatus, revises=False)


def status_of(among: Lookup) -> UpdateStatus:
    """How it is."""
    return among.get(UpdateStatus, ONLY) or UpdateStatus()
