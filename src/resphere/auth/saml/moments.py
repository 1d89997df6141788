"""Moments as SAML and WS-Trust write them: in UTC, to the millisecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from resphere.auth.saml.documents import BadDocument

CLOCK_SKEW = timedelta(minutes=10)
"""By how much the clocks of others may differ: vCenter's own tolerance (Single Sign-On, clock tolerance 600,000 ms)."""

# As XML Schema has it: a moment must say its zone, or nobody knows when it is.
WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z")


def read_moment(text: str) -> datetime:
    """The moment that is written, to the microsecond.

    :raises BadDocument: it is none, or does not say its zone.
    """
    text = text.strip()
    if not WRITTEN.match(text):
        raise BadDocument(f"{text[:40]!r} is no moment")
    whole, point, rest = text.partition(".")
    if point:
        digits = re.match(r"\d+", rest)
        fraction = digits.group() if digits else ""
        text = f"{whole}.{fraction[:6]}{rest[len(fraction) :]}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadDocument(f"{text[:40]!r} is no moment") from None


def write_moment(moment: datetime) -> str:
    """``2026-01-31T12:00:00.000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
