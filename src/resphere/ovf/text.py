"""Texts as XML can hold them."""

from __future__ import annotations

import re

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """``text`` with a replacement character for each that no XML document may have, such as NUL."""
    return _NOT_IN_XML.sub("\ufffd", text)
