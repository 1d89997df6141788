"""Passwords at rest."""

from __future__ import annotations

import secrets

import pytest

from resphere.auth.passwords import hash_password, verify_password


@pytest.mark.parametrize("password", ["", "secret", "Größe", "\0", "x" * 1000, "a$b$c", "\udcff"])
def test_only_the_password_itself_fits(password: str) -> None:
    stored = hash_password(password, secrets.token_bytes)
    assert stored.startswith("scrypt$16384$8$1$")
    assert password == "" or password not in stored
    assert verify_password(password, stored)
    assert not verify_password(password + " ", stored)


def test_salts_differ() -> None:
    assert hash_password("secret", secrets.token_bytes) != hash_password("secret", secrets.token_bytes)


def test_other_schemes_are_refused() -> None:
    with pytest.raises(ValueError, match="md5"):
        verify_password("secret", "md5$1$1$1$$")
