"""What makes text from outside fit for a log takes as long as its length asks for, and says the same as ever."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.audit.escape import ascii_json, bounded, encodable, printable, token
from tests.support.steps import steps_of

MANY = 300_000
anything = st.text(st.characters(exclude_categories=()), max_size=60)


def spelt(text: str) -> str:
    """What :func:`printable` writes, one character after the other."""

    def one(found: re.Match[str]) -> str:
        code = ord(found[0])
        if code < 0x100:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return re.sub(r"[^ -~]", one, text)


@given(anything)
def test_printable_spells_out_what_is_not(text: str) -> None:
    assert printable(text) == spelt(text)


@given(anything)
def test_a_token_is_percent_encoded(text: str) -> None:
    fit = "".join(map(chr, range(0x21, 0x7F)))
    assert token(text) == (quote(text, safe=fit, errors="backslashreplace") or "-")


@given(anything)
def test_ascii_json_says_the_same(text: str) -> None:
    document = json.dumps([encodable(text), 1.5], ensure_ascii=False).encode()
    written = ascii_json(document)
    assert json.loads(written) == json.loads(document)
    assert written.decode("ascii").isprintable()


@given(anything, st.integers(0, 70))
def test_what_is_cut_says_how_long_it_was(text: str, most: int) -> None:
    kept = bounded(text, most)
    if len(text) <= most:
        assert kept == text
    else:
        assert kept == f"{text[:most]}...[{len(text)} characters]"
        assert len(kept) > most, "nothing that was not cut is so long"


@pytest.mark.parametrize("character", ["\x7f", "\x01", "\xe9", "\u2028", "\U0001f600", "\udc80"])
def test_no_step_of_the_interpreter_for_each_character(character: str) -> None:
    """Calls of Python for each character are what made one value stop the log for a minute."""
    huge = character * MANY
    assert steps_of(lambda: printable(huge)) < 100
    assert steps_of(lambda: token(huge)) < 100
    document = json.dumps([encodable(huge)], ensure_ascii=False).encode()
    assert steps_of(lambda: ascii_json(document)) < 1000
