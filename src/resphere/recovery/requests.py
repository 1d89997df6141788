"""What a backup is asked for with, checked before anything is done."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage
from resphere.recovery.archives import COMMON, PARTS
from resphere.recovery.passwords import refusal
from resphere.recovery.places.errors import PlaceError
from resphere.recovery.places.location import Location, Login, read_location
from resphere.recovery.record import Kind

LONGEST_COMMENT = 1024
MOST_PARTS = 100


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A backup: of which ``parts``, where to, and sealed by which ``password``; ``location_type`` as the API has it."""

    parts: tuple[str, ...] = ()
    password: str | None = None
    location: str
    location_type: str | None = None
    login: Login = Login()
    comment: str = ""
    fast_backup: bool | None = None
    type: Kind = Kind.MANUAL
    schedule: str | None = None
    max_count: int | None = None

    @property
    def place(self) -> Location:
        """:raises BadLocation: it is none."""
        return read_location(self.location, self.location_type)


def all_parts(optional: Iterable[str] | None) -> tuple[str, ...]:
    """The parts that are in, where ``optional`` ones were named: what is not optional is."""
    named = set(optional or ())
    return tuple(part for part in PARTS if part == COMMON or part in named)


def part_refusal(parts: Iterable[str]) -> LocalizableMessage | None:
    """Why parts cannot be asked for, ``None`` where they can."""
    unknown = [part for part in parts if part not in PARTS][:1]
    if not unknown:
        return None
    text = "The field parts is not good: there is no part {0}; there are {1}."
    return message("resphere.recovery.parts", text, unknown[0][:80], ", ".join(PARTS))


def faults(request: Request) -> tuple[LocalizableMessage, ...]:
    """All that is wrong with a request before anything is looked at."""
    found = [part_refusal(request.parts)]
    if request.password is not None:
        found.append(refusal(request.password))
    if len(request.comment) > LONGEST_COMMENT or any(not each.isprintable() for each in request.comment):
        text = "The field comment is not good: it may have {0} characters, all of them visible."
        found.append(message("resphere.recovery.comment", text, LONGEST_COMMENT))
    try:
        read_location(request.location, request.location_type)
    except PlaceError as error:
        found.append(error.message)
    if request.login.user is None and request.login.password is not None:
        text = "The field location_user is missing: there is a location_password."
        found.append(message("resphere.recovery.location_user", text))
    return tuple(each for each in found if each is not None)
