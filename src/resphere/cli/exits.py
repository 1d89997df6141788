"""What commands end with, for scripts."""

from __future__ import annotations

import signal
from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses. ``meaning`` is what the documentation and ``resphere --help`` say of one."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Exit:
        made = int.__new__(cls, value)
        made._value_ = value
        made.meaning = meaning
        return made

    DONE = 0, "done"
    FAILED = 1, "it failed, for a reason that has no status of its own"
    CALLED_WRONGLY = 2, "called wrongly: a flag, a name of a command, a value; or nobody is there to confirm"
    NOT_FOUND = 3, "what is named does not exist, or a name means several"
    NOT_ALLOWED = 4, "not logged in, wrong password, expired session, or without the privilege"
    UNREACHABLE = 5, "no server chosen, none reached, it did not answer in time, or its certificate does not fit"
    CONFLICT = 6, "the object's state does not allow it: it exists already, is busy, in use, or powered on"
    IN_PART = 7, "of several objects some are done and some failed"
    UNSUPPORTED = 8, "the server has no such operation, or cannot do it"
    DECLINED = 9, "the question was answered with no"
    INTERRUPTED = 130, "interrupted; what was begun goes on at the server"
    NOBODY_READS = 128 + signal.SIGPIPE, "nobody reads on"


class Ended(Exception):
    """A command ends with a sentence and a status."""

    def __init__(self, sentence: str, status: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.status = status
