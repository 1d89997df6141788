"""A repository of updates: a folder of descriptions in JSON, one a file. What they describe is not there, and is never
installed: updates are gone through as vCenter does, and nothing of the server changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from resphere.contract.generated.appliance_update import CommonInfo, Pending

MOST_BYTES = 1024 * 1024
FILES = "*.json"


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has to be answered before an update is installed."""

    id: str
    text: str
    description: str = ""
    type: Pending.Question.InputType = Pending.Question.InputType.PLAIN_TEXT
    allowed_values: tuple[str, ...] | None = None
    regexp: str | None = None
    default_answer: str | None = None


class Component(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an update that can be installed alone."""

    name: str
    services: tuple[str, ...] = ()


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An update. ``size`` is in MB, ``minutes`` what vCenter would take for it; ``fails`` says why its installation
    does, for those who test what they do then."""

    version: str
    name: str
    description: str = ""
    contents: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    eulas: tuple[str, ...] = ()
    knowledge_base: str = ""
    priority: CommonInfo.Priority = CommonInfo.Priority.MEDIUM
    severity: CommonInfo.Severity = CommonInfo.Severity.MODERATE
    update_type: CommonInfo.Category = CommonInfo.Category.FIX
    release_date: datetime
    reboot_required: bool = True
    size: int = 0
    minutes: int = 30
    questions: tuple[Question, ...] = ()
    components: tuple[Component, ...] = ()
    fails: str | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version, to be compared."""
        return numbers(self.version)


class BadRepository(Exception):
    """A file of a repository is no description of an update; the text says which, and why."""


def read_repository(folder: Path) -> list[Description]:
    """All updates, the oldest version first.

    :raises FileNotFoundError: there is no such folder.
    :raises BadRepository: a file in it is no description.
    :raises OSError: one cannot be read.
    """
    if not folder.is_dir():
        raise FileNotFoundError(str(folder))
    return sorted(descriptions(folder), key=lambda each: each.numbers)


def descriptions(folder: Path) -> Iterator[Description]:
    """What the files say, in the order of their names."""
    for path in sorted(folder.glob(FILES)):
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BadRepository(f"{path.name}: it has more than {MOST_BYTES} bytes")
        try:
            found = msgspec.json.decode(content, type=Description)
            numbers(found.version)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise BadRepository(f"{path.name}: {error}") from None
        if found.release_date.tzinfo is None:
            raise BadRepository(f"{path.name}: release_date has no time zone")
        yield found


def numbers(version: str) -> tuple[int, ...]:
    """``8.0.3.00100`` as numbers.

    :raises ValueError: it is none.
    """
    parts = version.split(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= 12 for part in parts):
        raise ValueError(f"{version!r} is no version such as 8.0.3.00100")
    return tuple(map(int, parts))
