"""Ids and UUIDs: those of the source where they can be kept, new ones where not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random

from resphere.importing.report import Place, Report
from resphere.inventory.model import ROOT_FOLDER
from resphere.providers.simulator.draws import Draws, Numbers, number_of
from resphere.uuids import UUID_PATTERN

_UUID = re.compile(UUID_PATTERN)
_MOST_DIGITS = 12
_SHAPES = {
    prefix: re.compile(f"{prefix}[1-9][0-9]{{0,{_MOST_DIGITS - 1}}}")
    for prefix in (
        "vm-",
        "host-",
        "domain-c",
        "resgroup-",
        "datastore-",
        "network-",
        "dvportgroup-",
        "datacenter-",
        "group-v",
        "group-d",
        "group-h",
        "snapshot-",
        "dvs-",
    )
}


class Identities:
    """Gives ids. ``given`` are all that the source has: new ones have higher numbers."""

    def __init__(self, report: Report, given: Iterable[str | None]) -> None:
        self._report = report
        numbers = (number_of(id) for id in given if id and len(id) <= 2 * _MOST_DIGITS)
        self.numbers = Numbers(max((number for number in numbers if number < 10**_MOST_DIGITS), default=1))
        self._taken = {ROOT_FOLDER}
        self._uuids: set[str] = set()

    def id(self, prefix: str, given: str | None = None, place: Place | None = None) -> str:
        """The id that is given, or a new one where that is none or taken."""
        if given and _SHAPES[prefix].fullmatch(given) and given not in self._taken:
            self._taken.add(given)
            return given
        if given:
            self._report.guessed("ids that are not vCenter's, or stand twice, are given anew", place)
        made = f"{prefix}{self.numbers.take()}"
        self._taken.add(made)
        return made

    def uuid(self, given: str | None, seed: str, place: Place, *, unique: bool = True) -> str:
        """The UUID that is given, or one that follows from ``seed``."""
        if given and _UUID.fullmatch(given):
            if not unique or given.lower() not in self._uuids:
                self._uuids.add(given.lower())
                return given
            self._report.contradiction(
                place, f"the UUID {given} is that of another already", "UUIDs that stand twice are made anew"
            )
        elif given:
            self._report.guessed("UUIDs that are none are made anew", place)
        made = draws(seed).uuid()
        self._uuids.add(made)
        return made


def draws(seed: str) -> Draws:
    """Choices that follow from a text."""
    return Draws(Random(seed))
