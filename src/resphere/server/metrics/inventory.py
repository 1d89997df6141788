"""What the documents of a server amount to."""

from __future__ import annotations

from collections.abc import Iterator

from resphere.auth.sessions import Session
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter_vm import Power
from resphere.events.webhooks import DeadLetter, Webhook, progress_of
from resphere.inventory.model import KINDS, VirtualMachine
from resphere.metrics.families import Sample, one
from resphere.replica.replica import Replica
from resphere.server.metrics.families import (
    BACKLOG,
    DEAD_LETTERS,
    DOCUMENTS,
    EVENTS,
    MACHINES,
    OBJECTS,
    REVISION,
    SESSIONS,
    STORE_SEQUENCE,
    TASKS,
    WEBHOOKS,
)
from resphere.tasks.counts import TASK_COUNTS


def documents(replica: Replica, latest_event: int) -> Iterator[Sample]:
    """All of it; costs nothing for each document."""
    yield one(STORE_SEQUENCE, replica.sequence)
    yield one(REVISION, replica.revision)
    for kind, count in replica.counts().items():
        yield one(DOCUMENTS, count, kind)
        if kind in KINDS:
            yield one(OBJECTS, count, kind)
    for state in Power.State:
        yield one(MACHINES, len(replica.by(VirtualMachine, "power_state", state)), state.value.lower())
    yield one(SESSIONS, replica.count(Session))
    counts = replica.derived(TASK_COUNTS)
    for status in Status:
        yield one(TASKS, counts[status], status.value.lower())
    yield one(EVENTS, latest_event)
    yield from webhooks(replica, latest_event)


def webhooks(replica: Replica, latest_event: int) -> Iterator[Sample]:
    """How far webhooks are, which are few."""
    enabled = [hook for hook in replica.all(Webhook).values() if hook.enabled]
    yield one(WEBHOOKS, len(enabled), "enabled")
    yield one(WEBHOOKS, replica.count(Webhook) - len(enabled), "disabled")
    behind = (latest_event - progress_of(replica, hook).position for hook in enabled)
    yield one(BACKLOG, max(behind, default=0))
    yield one(DEAD_LETTERS, replica.count(DeadLetter))
