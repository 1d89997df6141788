"""Events as the API shows them, the same to everybody who is told."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from resphere.contract.extensions.events import Events
from resphere.contract.moments import plain
from resphere.events.event import Deed, Event, Subject
from resphere.events.failed_logins import BAD_LOGIN
from resphere.events.heard import Heard

ENCODER = msgspec.json.Encoder()
JSON = "json"

WORDS = {
    "VmPoweredOnEvent": "is powered on",
    "VmPoweredOffEvent": "is powered off",
    "VmSuspendedEvent": "is suspended",
    "VmMigratedEvent": "was migrated",
    "VmRelocatedEvent": "was relocated",
    "VmClonedEvent": "was cloned",
    "VmDeployedEvent": "was deployed",
    "VmRegisteredEvent": "was registered",
    "VmReconfiguredEvent": "was reconfigured",
    "VmRemovedEvent": "was removed",
    "EnteredMaintenanceModeEvent": "has entered maintenance mode",
    "ExitMaintenanceModeEvent": "has left maintenance mode",
    "HostConnectedEvent": "is connected",
    "HostDisconnectedEvent": "is disconnected",
    "HostConnectionLostEvent": "does not respond",
    "UserLoginSessionEvent": "was opened",
    "UserLogoutSessionEvent": "was ended",
    "SessionTerminatedEvent": "was terminated",
}
"""What has become of a thing, where more can be said than what :data:`DEEDS` do."""
DEEDS = {Deed.CREATED: "was created", Deed.UPDATED: "was changed", Deed.DELETED: "was deleted"}


def message_of(event: Event) -> str:
    """What happened, as a sentence without its end."""
    name = event.object.name or event.object.id
    if event.type == "TaskEvent":
        return f"Task {name}: {event.details.get('status')}, {event.details.get('progress')} %"
    if event.type == BAD_LOGIN:
        attempts = event.details.get("attempts")
        return f"Login of {name or 'many users'} was refused{'' if attempts == 1 else f' {attempts} times'}"
    if "old_name" in event.details:
        return f"{event.object.type} {event.details['old_name']} was renamed to {name}"
    return f"{event.object.type} {name} {WORDS.get(event.type) or DEEDS[event.deed]}"


def subject(found: Subject | None) -> Events.Subject | None:
    """What an event is about."""
    return None if found is None else Events.Subject(type=found.type, id=found.id, name=found.name)


def info(heard: Heard) -> Events.Info:
    """An event as the API shows it."""
    event, cause = heard.event, heard.event.cause
    return Events.Info(
        sequence=heard.number,
        time=datetime.fromtimestamp(event.time / 1000, UTC),
        type=event.type,
        kind=Events.Kind(event.kind),
        change=Events.Change(event.deed),
        message=message_of(event),
        object=Events.Subject(type=event.object.type, id=event.object.id, name=event.object.name),
        target=subject(event.target),
        cause=None
        if cause is None
        else Events.Cause(request_id=cause.request, user=cause.user, operation=cause.operation),
        task=event.task,
        changed=event.changed or None,
        details={key: str(value) for key, value in event.details.items()} or None,
        report=event.report,
    )


def written(heard: Heard) -> bytes:
    """The same as JSON, which is made once."""
    found = heard.written.get(JSON)
    if found is None:
        found = heard.written[JSON] = ENCODER.encode(plain(info(heard)))
    return found
