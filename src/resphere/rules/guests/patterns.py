"""Patterns that names in guests are looked for by: Perl-compatible, and no more work than others can wait for."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any

import regex

LONGEST_PATTERN = 1000
MOST_REPETITIONS = 10_000
"""What the counts of a pattern's repetitions are at most, multiplied with one another: the compiler writes each out."""

MOST_WRITTEN_OUT = 500_000
"""The same times the pattern's length."""

MATCH_SECONDS = 0.25
"""How long a pattern may take on all names of a directory together, without the time that its thread waits."""

_COUNT = regex.compile(r"\{\s*+(\d++)\s*+(?:,\s*+\d*+\s*+)?\}")
_VERBOSE = regex.compile(r"\(\?[A-Za-z0-9-]*x")


class PatternFault(ValueError):
    """A pattern that is none, or asks for too much; the message says which."""


def compiled(pattern: str) -> Any:
    """The pattern, compiled.

    :raises PatternFault: it is none, or would be too large.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternFault(f"must not be longer than {LONGEST_PATTERN} characters")
    if _VERBOSE.search(pattern):
        raise PatternFault("must not have the flag x")
    counts = [int(count) if len(count) < 10 else MOST_REPETITIONS + 1 for count in _COUNT.findall(pattern)]
    # As if each stood in the one before: which does cannot be told without reading patterns as the compiler does.
    repetitions = math.prod(max(count, 1) for count in counts)
    if repetitions > MOST_REPETITIONS or repetitions * len(pattern) > MOST_WRITTEN_OUT:
        raise PatternFault("repeats too often")
    try:
        # Kept, those of everybody would fill the memory.
        return regex.compile(pattern, cache_pattern=False)
    except (regex.error, RecursionError, OverflowError) as error:
        raise PatternFault(f"is no regular expression: {error}") from None


def matching(names: Iterable[str], pattern: str, seconds: float = MATCH_SECONDS) -> Iterator[int]:
    """The positions of the names that have a match. Does not hold Python's lock while it searches.

    :raises PatternFault: see :func:`compiled`; or it takes longer than ``seconds`` on all names together.
    """
    search = compiled(pattern).search
    end = time.thread_time() + seconds
    for position, name in enumerate(names):
        left = end - time.thread_time()
        try:
            found = left > 0 and search(name, timeout=left, concurrent=True)
        except TimeoutError:
            left = 0.0
            found = None
        if left <= 0:
            raise PatternFault("takes too long to match")
        if found:
            yield position
