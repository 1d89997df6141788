"""Headers that somebody has given to ask with."""

from __future__ import annotations

import re
from collections.abc import Mapping

from resphere.fetching.errors import bad_headers

Headers = tuple[tuple[str, str], ...]
"""Names and values."""

MOST_HEADERS = 50
MOST_CHARACTERS = 16 * 1024
"""Of all names and values together."""
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?|")
OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""How requests are framed, whom they are for, and what of it is asked for, is not for others to say."""


def read_headers(given: Mapping[str, str]) -> Headers:
    """The headers, in the order in which they stand.

    :raises BadAddress: there are too many, one is there twice, or is none that may be given.
    """
    if len(given) > MOST_HEADERS or sum(len(name) + len(value) for name, value in given.items()) > MOST_CHARACTERS:
        raise bad_headers(f"there are at most {MOST_HEADERS}, of {MOST_CHARACTERS} characters together")
    names: set[str] = set()
    for name, value in given.items():
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise bad_headers("names are tokens of HTTP, values are printable characters of ASCII")
        if name.casefold() in OURS:
            raise bad_headers(f"{name.casefold()} is set by this server alone")
        if name.casefold() in names:
            raise bad_headers(f"{name.casefold()} is there twice")
        names.add(name.casefold())
    return tuple(given.items())
