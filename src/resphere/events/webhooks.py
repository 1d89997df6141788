"""Webhooks as documents: to whom events are sent, how far that is, and what could not be."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from resphere.events.event import Event
from resphere.events.filters import ALL, Wanted
from resphere.replica.replica import Replica
from resphere.replica.table import OnDelete, Reference, Table

USUAL_ATTEMPTS = 10
MOST_ATTEMPTS = 30
MOST_WEBHOOKS = 100
MOST_DEAD_LETTERS = 1000
"""Of one webhook; then the oldest is dropped for each new one."""


class Mode(StrEnum):
    """How a CloudEvent is put into a request of HTTP."""

    STRUCTURED = "STRUCTURED"
    BINARY = "BINARY"


class Webhook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events are sent to ``url`` that its ``owner``, a local account, sees at that moment; ``secret`` signs them.

    They begin after that with the number ``begin``; ``runs`` rises when they begin anew.
    """

    kind: ClassVar[str] = "webhook"

    id: str
    name: str
    url: str
    secret: str
    owner: str
    mode: Mode = Mode.STRUCTURED
    wanted: Wanted = ALL
    attempts: int = USUAL_ATTEMPTS
    enabled: bool = True
    created_time: datetime
    begin: int
    runs: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How far the webhook of the same id is in its run: all up to ``position`` is sent or put aside."""

    kind: ClassVar[str] = "webhook_progress"

    id: str
    run: int
    position: int
    failures: int = 0
    error: str | None = None


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An event that ``webhook`` could not send in all its attempts. ``waiting``: it is to be sent again."""

    kind: ClassVar[str] = "webhook_dead_letter"

    id: str
    webhook: str
    number: int
    event: Event
    time: datetime
    attempts: int
    error: str
    waiting: bool = False


WEBHOOKS = Table(cls=Webhook, revises=False, sealed=("secret",))
PROGRESS: Table[Progress] = Table(
    cls=Progress,
    indexes={"webhook": lambda progress: (progress.id,)},
    belongs_to="webhook",
    refers_to=(Reference(index="webhook", fields=("id",), to=(Webhook,), on_delete=OnDelete.CASCADE),),
    revises=False,
)
DEAD_LETTERS: Table[DeadLetter] = Table(
    cls=DeadLetter,
    indexes={"webhook": lambda letter: (letter.webhook,)},
    belongs_to="webhook",
    refers_to=(Reference(index="webhook", fields=("webhook",), to=(Webhook,), on_delete=OnDelete.CASCADE),),
    revises=False,
)
TABLES = (WEBHOOKS, PROGRESS, DEAD_LETTERS)


def letter_id(webhook: str, number: int) -> str:
    """The id of a dead letter."""
    return f"{webhook}/{number}"


def letters_of(replica: Replica, webhook: str) -> list[DeadLetter]:
    """What could not be sent to a webhook, by the events' numbers."""
    return sorted(replica.by(DeadLetter, "webhook", webhook).values(), key=lambda each: each.number)


def progress_of(replica: Replica, hook: Webhook) -> Progress:
    """How far a webhook is in its present run: at the run's beginning where nothing is noted of that."""
    noted = replica.get(Progress, hook.id)
    if noted is not None and noted.run == hook.runs:
        return noted
    return Progress(id=hook.id, run=hook.runs, position=hook.begin)
