"""Units of quantities, as DSP0004 writes them and as older exporters do."""

from __future__ import annotations

import re

_FACTOR = re.compile(r"\s*(?:(\d{1,20})|(byte|hertz)s?)(?:\s*\^\s*(\d{1,2}))?\s*", re.IGNORECASE)
_WORDS = {
    "byte": 1,
    "bytes": 1,
    "kb": 1 << 10,
    "kilobyte": 1 << 10,
    "kilobytes": 1 << 10,
    "mb": 1 << 20,
    "megabyte": 1 << 20,
    "megabytes": 1 << 20,
    "gb": 1 << 30,
    "gigabyte": 1 << 30,
    "gigabytes": 1 << 30,
    "tb": 1 << 40,
    "terabyte": 1 << 40,
    "terabytes": 1 << 40,
    "hertz": 1,
    "mhz": 10**6,
}
"""What OVF 0.9 and 1.0 had instead: VirtualBox still writes ``MegaBytes``."""
LARGEST = 1 << 63
LONGEST = 100


def multiplier(units: str) -> int | None:
    """How many bytes (or hertz) one of the units is: ``byte * 2^20`` is 1048576; ``None`` where it is none."""
    known = _WORDS.get(units.strip().casefold())
    if known is not None:
        return known
    if len(units) > LONGEST:
        return None
    product = 1
    for part in units.split("*"):
        match = _FACTOR.fullmatch(part)
        if match is None:
            return None
        number, unit, power = match.groups()
        if unit is not None:
            if power is not None:
                return None
            continue
        product *= int(number) ** int(power or 1)
        if not 0 < product <= LARGEST:
            return None
    return product
