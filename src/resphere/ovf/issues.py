"""What is wrong with a package, or is ignored of it, in the form in which vCenter tells it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resphere.contract.errors import message
from resphere.contract.generated.vcenter_ovf import ParseIssue
from resphere.contract.model import LocalizableMessage

Category = ParseIssue.Category

MOST_ISSUES = 100
"""How many are told of one file: who has made that many mistakes corrects some of them first."""
LONGEST_WORD = 200


class BadPackage(ValueError):
    """A package that cannot be used; ``issues`` say why, each with its place."""

    def __init__(self, issues: Iterable[ParseIssue]) -> None:
        self.issues = tuple(issues)
        super().__init__("; ".join(issue.message.default_message for issue in self.issues))


class InputIssue(msgspec.Struct, frozen=True):
    """A value that was given for a deployment and does not fit: the parameter's ``name``, the ``value``, and why."""

    name: str
    value: str
    message: LocalizableMessage


class BadInput(ValueError):
    """Values for a deployment that do not fit the package."""

    def __init__(self, issues: Iterable[InputIssue]) -> None:
        self.issues = tuple(issues)
        super().__init__("; ".join(issue.message.default_message for issue in self.issues))


class Findings:
    """Collects errors and warnings of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[ParseIssue] = []
        self.warnings: list[ParseIssue] = []

    def error(self, category: Category, place: tuple[int, int], id: str, text: str, *args: object) -> None:
        """Something that the file cannot be used with."""
        _add(self.errors, issue(category, self.file, place, id, text, *args))

    def warning(self, category: Category, place: tuple[int, int], id: str, text: str, *args: object) -> None:
        """Something that is ignored."""
        _add(self.warnings, issue(category, self.file, place, id, text, *args))

    def require_none(self) -> None:
        """Refuse a file in which there is an error.

        :raises BadPackage: with all of them.
        """
        if self.errors:
            raise BadPackage(self.errors)


def issue(category: Category, file: str, place: tuple[int, int], id: str, text: str, *args: object) -> ParseIssue:
    """One of them; ``place`` is line and column, both from 1, and ``(0, 0)`` where it is the file as a whole."""
    line, column = place
    words = tuple([short(str(arg)) for arg in args])
    return ParseIssue(
        category=category,
        file=short(file),
        line_number=line,
        column_number=column,
        message=message(f"resphere.ovf.{id}", text, *words),
    )


def _add(found: list[ParseIssue], one: ParseIssue) -> None:
    if len(found) < MOST_ISSUES:
        found.append(one)


def short(word: str) -> str:
    """A word of a file or a caller, cut to what fits into a message."""
    return word if len(word) <= LONGEST_WORD else f"{word[:LONGEST_WORD]}..."
