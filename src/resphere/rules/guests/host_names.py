"""Names of hosts and domains."""

from __future__ import annotations

import re

LONGEST_HOST_NAME = 253
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")


def is_label(text: str) -> bool:
    """Whether it is one part of a name."""
    return _LABEL.match(text) is not None


def is_host_name(text: str) -> bool:
    """Whether it is a name, with a domain or without."""
    return len(text) <= LONGEST_HOST_NAME and all(is_label(label) for label in text.removesuffix(".").split("."))
