"""Passwords at rest."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets

import pytest

from resphere.auth.passwords import Digests, hash_password, is_outdated, verify_password


def as_earlier_releases(password: str) -> str:
    """A digest as those wrote it."""
    salt = b"0123456789abcdef"
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return "$".join(["scrypt", "16384", "8", "1", base64.b64encode(salt).decode(), base64.b64encode(key).decode()])


@pytest.mark.parametrize("password", ["", "secret", "Größe", "\0", "x" * 1000, "a$b$c", "\udcff"])
def test_only_the_password_itself_fits(password: str) -> None:
    stored = hash_password(password, secrets.token_bytes)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert password == "" or password not in stored
    assert verify_password(password, stored)
    assert not verify_password(password + " ", stored)
    assert not is_outdated(stored)


def test_salts_differ() -> None:
    assert hash_password("secret", secrets.token_bytes) != hash_password("secret", secrets.token_bytes)


def test_digests_of_earlier_releases_fit_and_are_to_be_made_anew() -> None:
    stored = as_earlier_releases("secret")
    assert verify_password("secret", stored)
    assert not verify_password("Secret", stored)
    assert is_outdated(stored)


def test_digests_with_other_parameters_are_to_be_made_anew() -> None:
    assert is_outdated("$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + "A" * 43)


@pytest.mark.parametrize("stored", ["md5$1$1$1$$", "", "$argon2id$"])
def test_other_schemes_are_refused(stored: str) -> None:
    with pytest.raises(ValueError, match="unknown password scheme"):
        verify_password("secret", stored)


def test_nobody_has_a_password_not_even_the_empty_one() -> None:
    async def test() -> None:
        digests = Digests(secrets.token_bytes)
        stored, old = await digests.make("secret"), as_earlier_releases("secret")
        for beside in (False, True):
            assert not await digests.verify("", None, beside_scrypt=beside)
            for each in (stored, old):
                assert await digests.verify("secret", each, beside_scrypt=beside)
                assert not await digests.verify("other", each, beside_scrypt=beside)
        assert await digests.is_any("secret", ("$argon2id$" + stored.removeprefix("$argon2id$"), old))
        assert not await digests.is_any("other", (stored, old))
        digests.close()

    asyncio.run(test())
