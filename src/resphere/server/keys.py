"""Keys of files that people write."""

from __future__ import annotations

import msgspec

from resphere.nearest import meant


def require_keys(given: object, of: type[msgspec.Struct], place: str = "") -> None:
    """Refuse what is no mapping, and a key that is no field, with the one that was meant. ``place`` is where in the
    file it stands.

    :raises ValueError: it is none, or there is such a key.
    """
    if not isinstance(given, dict):
        raise ValueError(f"{place or 'the file'} must have keys with values, as in `key: value`")
    known = [field.encode_name for field in msgspec.structs.fields(of)]
    for key in given:
        if key not in known:
            where = f" in {place}" if place else ""
            raise ValueError(f"there is no key {key}{where}{meant(key, known) or '; there are ' + ', '.join(known)}")
