"""``Prefer`` (RFC 7240): to wait until something changes, and to have work done in the background."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from resphere.contract.lookup import operation_at, place_of
from resphere.contract.model import AnyOperation

WAIT = re.compile(r'"?([0-9]{1,9})"?\Z')


class Preferences(msgspec.Struct, frozen=True):
    """What a client would like: to wait so many seconds, and no answer before the work is done."""

    wait_seconds: int | None = None
    respond_async: bool = False


NONE = Preferences()


def preferences_in(headers: dict[bytes, bytes]) -> Preferences:
    """The preferences that mean something here. Others, and what is malformed, may be passed over (RFC 7240, 2)."""
    value = headers.get(b"prefer")
    if value is None:
        return NONE
    found: dict[str, str] = {}
    for part in value.decode("latin-1").split(","):
        name, _, given = part.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), given.strip())  # of two the first counts
    seconds = WAIT.match(found.get("wait", ""))
    return Preferences(None if seconds is None else int(seconds[1]), "respond-async" in found)


@cache
def task_form(operation: AnyOperation) -> AnyOperation | None:
    """The operation that begins the same work as a task, if there is one."""
    place = place_of(operation.service, f"{operation.name}$task")
    other = None if place is None else operation_at(place)
    if other is None or other.api is None or operation.api is None:
        return None
    same = other.api.method == operation.api.method and other.api.path == operation.api.path
    return other if same and fields_of(other) == fields_of(operation) else None


def fields_of(operation: AnyOperation) -> list[tuple[str, object]]:
    """The input's parameters, by name and type."""
    return [(field.encode_name, field.type) for field in msgspec.structs.fields(operation.input)]
