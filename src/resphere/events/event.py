"""An event, as the journal of the store has it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from resphere.events.cause import Cause


class Kind(StrEnum):
    """What an event is about."""

    INVENTORY = "INVENTORY"
    TASK = "TASK"
    SESSION = "SESSION"
    ALARM = "ALARM"
    ACCESS = "ACCESS"


class Deed(StrEnum):
    """What has become of it."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


class Subject(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What changed, or what that is about: an object or another document. ``name`` is that of the moment."""

    type: str
    id: str
    name: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A change of one document. ``time`` in milliseconds of Unix time.

    ``report`` is what a report has, of the event that sends it.

    ``type`` is vSphere's name of the event, or one of ours that begins with ``resphere.``. ``changed`` are the fields
    that did, ``details`` what else is told.

    Who sees it: ``owner`` does, nobody else where it is ``private``, and else who has ``privilege`` on the root folder;
    where that is unset, who sees the managed object ``about`` (empty: what stands nowhere in the tree). ``path`` is
    what that stood in: first the ``near`` objects that it stood in directly, then those above, for when it is no more.
    ``guarded``: there were permissions on it itself.
    """

    time: int
    type: str
    kind: Kind
    deed: Deed
    object: Subject
    target: Subject | None = None
    cause: Cause | None = None
    task: str | None = None
    changed: tuple[str, ...] = ()
    details: dict[str, str | int] = {}
    report: Any = None
    owner: str | None = None
    private: bool = False
    privilege: str | None = None
    about: str = ""
    near: int = 1
    path: tuple[str, ...] = ()
    guarded: bool = False


ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder(Event)
