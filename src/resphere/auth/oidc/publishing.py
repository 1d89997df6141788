"""What providers publish of themselves: their metadata (OpenID Connect Discovery 1.0) and their keys (RFC 7517)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from resphere.auth.oidc.fetching import Fetcher, ProviderUnavailable
from resphere.auth.oidc.providers import DISCOVERY, Endpoints, IdentityProvider, require_address
from resphere.auth.oidc.remembering import Remembered

MOST_KEYS = 100
MOST_PROVIDERS = 256
LEAST_RSA_BITS = 2048
"""Of a modulus, whose text in base64 has a character for each six of them."""
PublicKey = RSAKey | ECKey | OKPKey
KINDS: dict[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
SIGNING = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The kind of key by how an algorithm's name begins."""
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}


class SigningKey(msgspec.Struct, frozen=True):
    """A public key, and what it says that it is for."""

    kid: str | None
    kty: str
    algorithm: str | None
    curve: str | None
    key: PublicKey

    def signs(self, algorithm: str) -> bool:
        """Whether tokens may be signed so with it."""
        if self.kty != SIGNING.get(algorithm[:2]) or self.algorithm not in (None, algorithm):
            return False
        return algorithm not in CURVES or self.curve == CURVES[algorithm]


class Published:
    """The metadata and keys of providers, remembered; ``clock`` gives rising seconds."""

    def __init__(self, fetcher: Fetcher, clock: Callable[[], float]) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._endpoints: dict[tuple[str, str | None], Remembered[Endpoints]] = {}
        self._keys: dict[tuple[str, str | None], Remembered[tuple[SigningKey, ...]]] = {}

    async def endpoints(self, provider: IdentityProvider) -> Endpoints:
        """Where the provider is asked.

        :raises ProviderUnavailable: that cannot be had.
        """
        if provider.endpoints is not None:
            return provider.endpoints
        address = provider.discovery_endpoint
        assert address is not None, provider.id
        found = self._endpoints.get((address, provider.ca))
        if found is None:
            fetch = partial(self.discover, address, provider.ca)
            found = Remembered(f"the metadata of {provider.shown_name}", fetch, self._clock)
            room(self._endpoints)[address, provider.ca] = found
        return await found.get()

    async def discover(self, address: str, ca: str | None) -> Endpoints:
        """The metadata at ``address``, fetched now.

        :raises ProviderUnavailable: it cannot be had, or is another provider's.
        """
        return metadata(await self._fetcher.get(address, ca), address)

    async def key(self, provider: IdentityProvider, kid: str | None, algorithm: str) -> SigningKey | None:
        """The provider's key of that id; where a token names none, the only one that signs so.

        :raises ProviderUnavailable: its keys cannot be had.
        """
        remembered = await self._remembered_keys(provider)
        keys = await remembered.get(lambda known: chosen(known, kid, algorithm) is not None)
        return chosen(keys, kid, algorithm)

    async def keys(self, provider: IdentityProvider) -> tuple[SigningKey, ...]:
        """All its keys.

        :raises ProviderUnavailable: they cannot be had.
        """
        return await (await self._remembered_keys(provider)).get()

    async def _remembered_keys(self, provider: IdentityProvider) -> Remembered[tuple[SigningKey, ...]]:
        endpoints = await self.endpoints(provider)
        place = (endpoints.keys, provider.ca)
        found = self._keys.get(place)
        if found is None:
            fetch = partial(self._fetch_keys, endpoints.keys, provider.ca)
            found = Remembered(f"the keys of {provider.shown_name}", fetch, self._clock)
            room(self._keys)[place] = found
        return found

    async def _fetch_keys(self, address: str, ca: str | None) -> tuple[SigningKey, ...]:
        return signing_keys(await self._fetcher.get(address, ca), address)


def room(remembered: dict[tuple[str, str | None], Any]) -> dict[tuple[str, str | None], Any]:
    """Room for one more: of providers that were changed again and again, all are forgotten."""
    if len(remembered) >= MOST_PROVIDERS:
        remembered.clear()
    return remembered


def chosen(keys: tuple[SigningKey, ...], kid: str | None, algorithm: str) -> SigningKey | None:
    """The one key that is meant, ``None`` where there is none or several are."""
    fitting = [each for each in keys if each.signs(algorithm) and (kid is None or each.kid == kid)]
    return fitting[0] if len(fitting) == 1 else None


def metadata(document: Any, address: str) -> Endpoints:
    """The addresses in a provider's metadata.

    :raises ProviderUnavailable: they are not there, or not those of the provider at ``address``.
    """
    try:
        if not isinstance(document, dict):
            raise ValueError("the metadata is no object")
        found = Endpoints(
            issuer=text_of(document, "issuer"),
            authorization=address_of(document, "authorization_endpoint"),
            token=address_of(document, "token_endpoint"),
            keys=address_of(document, "jwks_uri"),
            logout=address_of(document, "end_session_endpoint") if "end_session_endpoint" in document else None,
            access_token_issuer=(
                text_of(document, "access_token_issuer") if "access_token_issuer" in document else None
            ),
        )
        # Section 4.3: what vouches for itself at one address must not be able to be taken for another.
        if address.endswith(DISCOVERY) and found.issuer.rstrip("/") != address.removesuffix(DISCOVERY).rstrip("/"):
            raise ValueError(f"its issuer is {found.issuer!r}, which is not whom the address belongs to")
    except ValueError as error:
        raise ProviderUnavailable(f"{address}: {error}") from error
    return found


def text_of(document: dict[str, Any], name: str) -> str:
    """A text of the metadata."""
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 2048:
        raise ValueError(f"it has no {name}")
    return value


def address_of(document: dict[str, Any], name: str) -> str:
    """An address of the metadata."""
    value = text_of(document, name)
    require_address(name, value)
    return value


def signing_keys(document: Any, address: str) -> tuple[SigningKey, ...]:
    """The keys of a set that can sign tokens; others are passed over, such as those for encryption.

    :raises ProviderUnavailable: it is no set of keys.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise ProviderUnavailable(f"{address}: there is no set of at most {MOST_KEYS} keys")
    return tuple(found for each in keys if (found := signing_key(each)) is not None)


def signing_key(given: Any) -> SigningKey | None:
    """A key of a set, ``None`` where it cannot sign tokens, or is too weak, or secret."""
    if not isinstance(given, dict) or given.get("use", "sig") != "sig" or "d" in given:
        return None
    operations = given.get("key_ops", ["verify"])
    kind = KINDS.get(str(given.get("kty")))
    if kind is None or not isinstance(operations, list) or "verify" not in operations:
        return None
    wanted = ("kty", "n", "e", "crv", "x", "y")
    try:
        if kind is RSAKey and 6 * len(given["n"]) < LEAST_RSA_BITS:
            return None
        key = kind.import_key({name: given[name] for name in wanted if name in given})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    kid, algorithm, curve = (given.get(name) for name in ("kid", "alg", "crv"))
    return SigningKey(
        kid if isinstance(kid, str) else None,
        str(given["kty"]),
        algorithm if isinstance(algorithm, str) else None,
        curve if isinstance(curve, str) else None,
        key,
    )
