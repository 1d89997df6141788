"""What providers publish is remembered, fetched again within bounds, and taken for no more than it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from resphere.auth.oidc.fetching import ProviderUnavailable
from resphere.auth.oidc.providers import DISCOVERY
from resphere.auth.oidc.publishing import Published, SigningKey, metadata, signing_keys
from resphere.auth.oidc.remembering import AGAIN_SECONDS, FRESH_SECONDS, STALE_SECONDS
from tests.support.tokens import EC, ED, ISSUER, RSA, Issuer, encoded, provider

NEW = RSAKey.generate_key(2048, {"kid": "new", "use": "sig"})
WEAK = {"kty": "RSA", "kid": "weak", "n": encoded(bytes([255]) * 128), "e": "AQAB"}
KEYS = "/keys"


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class World:
    """An issuer, and what is remembered of it."""

    def __init__(self, *keys: Any) -> None:
        self.issuer = Issuer(*keys)
        self.time = Time()
        self.published = Published(self.issuer, self.time)

    async def key(self, kid: str | None, algorithm: str = "RS256") -> SigningKey | None:
        return await self.published.key(provider(), kid, algorithm)

    @property
    def fetches(self) -> int:
        """Of the keys."""
        return self.issuer.asked.count(KEYS)


def test_keys_are_fetched_once() -> None:
    async def test() -> None:
        world = World()
        for _ in range(3):
            assert await world.key("rsa") is not None
        assert world.issuer.asked == [DISCOVERY, KEYS]

    asyncio.run(test())


def test_many_who_need_them_at_once_share_one_fetch() -> None:
    async def test() -> None:
        world = World()
        await asyncio.gather(*(world.key("rsa") for _ in range(50)))
        assert world.issuer.asked == [DISCOVERY, KEYS]

    asyncio.run(test())


def test_a_new_key_is_found_and_unknown_ones_cost_no_more_than_one_fetch_at_a_time() -> None:
    async def test() -> None:
        world = World()
        assert await world.key("rsa") is not None
        world.issuer.keys = (NEW,)
        # It was fetched just now: not again, whatever a token says.
        assert await world.key("new") is None
        world.time.seconds += AGAIN_SECONDS
        assert await world.key("new") is not None
        assert world.fetches == 2
        for number in range(100):
            assert await world.key(f"unknown-{number}") is None
        assert world.fetches == 2
        # The old key is gone with it.
        assert await world.key("rsa") is None

    asyncio.run(test())


def test_old_keys_are_good_for_a_day_where_the_provider_is_down() -> None:
    async def test() -> None:
        world = World()
        assert await world.key("rsa") is not None
        world.issuer.down = True
        world.time.seconds += FRESH_SECONDS
        assert await world.key("rsa") is not None
        assert await world.key("rsa") is not None
        assert world.fetches == 2
        world.time.seconds += STALE_SECONDS
        with pytest.raises(ProviderUnavailable):
            await world.key("rsa")

    asyncio.run(test())


def test_a_provider_that_is_back_is_asked_again_after_a_while() -> None:
    async def test() -> None:
        world = World()
        world.issuer.down = True
        for _ in range(10):
            with pytest.raises(ProviderUnavailable):
                await world.key("rsa")
        assert world.issuer.asked == [DISCOVERY]
        world.issuer.down = False
        world.time.seconds += AGAIN_SECONDS
        assert await world.key("rsa") is not None

    asyncio.run(test())


def test_a_token_without_an_id_means_the_only_key_that_signs_so() -> None:
    async def test() -> None:
        world = World(RSA, EC, ED)
        assert await world.key(None) is not None
        world = World(RSA, NEW)
        assert await world.key(None) is None

    asyncio.run(test())


def test_a_key_signs_by_its_own_algorithm_alone() -> None:
    document = {"keys": [{**RSA.as_dict(private=False), "alg": "RS512"}, EC.as_dict(private=False)]}
    rsa, ec = signing_keys(document, "there")
    assert [rsa.signs(each) for each in ("RS512", "RS256", "ES256", "none", "HS256", "")] == [True] + [False] * 5
    assert [ec.signs(each) for each in ("ES256", "ES384", "RS256")] == [True, False, False]


@pytest.mark.parametrize(
    "key",
    [
        OctKey.generate_key(256, {"kid": "x"}).as_dict(private=True),
        RSA.as_dict(private=True),
        WEAK,
        {**RSA.as_dict(private=False), "use": "enc"},
        {**RSA.as_dict(private=False), "key_ops": ["encrypt"]},
        {**RSA.as_dict(private=False), "n": "!!"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        {},
        7,
        None,
    ],
)
def test_keys_that_cannot_sign_tokens_are_passed_over(key: Any) -> None:
    assert signing_keys({"keys": [key]}, "there") == ()


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": [{}] * 101}])
def test_what_is_no_set_of_keys(document: Any) -> None:
    with pytest.raises(ProviderUnavailable, match="no set of at most 100 keys"):
        signing_keys(document, "there")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"issuer": "https://evil.example.com"}, "not whom the address belongs to"),
        ({"issuer": None}, "has no issuer"),
        ({"jwks_uri": "http://idp.example.com/keys"}, "must begin with https://"),
        ({"jwks_uri": "file:///etc/passwd"}, "must be an address"),
        ({"token_endpoint": "https://user:secret@idp.example.com/"}, "must be an address"),
        ({"authorization_endpoint": "https://idp.example.com/\r\nX: y"}, "must be an address"),
    ],
)
def test_metadata_that_is_not_taken(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ProviderUnavailable, match=why):
        metadata({**Issuer().metadata, **change}, ISSUER + DISCOVERY)


def test_metadata_is_an_object() -> None:
    with pytest.raises(ProviderUnavailable, match="no object"):
        metadata([], ISSUER + DISCOVERY)
