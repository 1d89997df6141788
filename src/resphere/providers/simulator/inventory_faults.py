"""What is wrong with an inventory file, with the place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_SHOWN = 20


class InventoryFileError(ValueError):
    """An inventory file that cannot be used. The message has a line a fault: file, line, path in the file, what is
    wrong and what is allowed. ``faults`` are all of those lines, the message shows the first twenty."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        shown = list(self.faults[:_SHOWN])
        if len(self.faults) > _SHOWN:
            shown.append(f"... and {len(self.faults) - _SHOWN} more")
        super().__init__("\n".join(shown))

    def __reduce__(self) -> tuple[type[InventoryFileError], tuple[tuple[str, ...]]]:
        # It comes from the process that prepares the server: a copy is made of the faults, not of the message.
        return InventoryFileError, (self.faults,)


class Faults:
    """Collects the faults of one file, each once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: dict[str, None] = {}

    def add(self, line: int | None, path: str, message: str) -> None:
        """A fault at a line (from 1, None if unknown) and path (`hosts[2].name`, may be empty) of the file."""
        place = f"{self._source}:{line}" if line is not None else self._source
        self._found[f"{place}: {path}: {message}" if path else f"{place}: {message}"] = None

    def raise_any(self) -> None:
        """Raises InventoryFileError if anything was added."""
        if self._found:
            raise InventoryFileError(tuple(self._found))


def allowed(options: Iterable[str]) -> str:
    """The options in words: `allowed are a, b and c`."""
    names = list(options)
    if len(names) == 1:
        return f"allowed is {names[0]}"
    return f"allowed are {', '.join(names[:-1])} and {names[-1]}"


_LISTED = 12


def suggestion(given: str, options: Iterable[str]) -> str:
    """All the options where they are few, otherwise those that resemble what was given."""
    names = list(options)
    if len(names) <= _LISTED:
        return allowed(names)
    close = difflib.get_close_matches(given.upper(), names, 3, 0.4) or difflib.get_close_matches(given, names, 3, 0.4)
    return f"one of {len(names)} values is allowed, such as {', '.join(close or names[:3])}"
