"""The file that says which user a client's certificate is."""

from __future__ import annotations

import pytest

from resphere.auth.client_certificates import read_users

DIGITS = "0123456789" * 6 + "0123"
WITH_COLONS = ":".join(DIGITS[at : at + 2] for at in range(0, 64, 2))


@pytest.mark.parametrize("key", [DIGITS, f"'{DIGITS}'", WITH_COLONS])
def test_fingerprints_of_digits_alone_are_text(key: str) -> None:
    """As a number, such a one would lose the zeros that it begins with."""
    assert read_users(f"{key}: somebody@vsphere.local\n".encode()) == {DIGITS: "somebody@vsphere.local"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "names no user"),
        (b"[]", "names no user"),
        (b"\xff", "UTF-8"),
        (b"a: [", "YAML"),
        (b"a: " + b"[" * 50_000, "deep"),
        (b"abc: somebody", "fingerprint"),
        (f"{DIGITS}: 5".encode(), "fingerprint"),
        (f"{DIGITS}: one\n{DIGITS}: another".encode(), "twice"),
    ],
)
def test_files_that_are_refused(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_users(text)
