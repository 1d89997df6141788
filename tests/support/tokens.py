"""An issuer of tokens in the test's own process: keys, what is published of them, and tokens good and bad."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from resphere.auth.oidc.fetching import ProviderUnavailable
from resphere.auth.oidc.providers import DISCOVERY, ConfigType, IdentityProvider

ISSUER = "https://idp.example.com/realms/corp"
CLIENT_ID = "resphere"
Key = RSAKey | ECKey | OKPKey | OctKey

RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"})
OTHER_RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})


class Issuer:
    """Publishes metadata and keys, as a fetcher gives them; notes what was asked for."""

    def __init__(self, *keys: Key) -> None:
        self.keys: tuple[Key, ...] = keys or (RSA, EC, ED)
        self.asked: list[str] = []
        self.down = False
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }

    async def get(self, address: str, ca: str | None) -> Any:
        """What is published at an address."""
        self.asked.append(address.removeprefix(ISSUER))
        if self.down:
            raise ProviderUnavailable(f"{address}: down")
        if address == ISSUER + DISCOVERY:
            return self.metadata
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


def provider(**given: Any) -> IdentityProvider:
    """The provider as it is known, where nothing else is ``given``."""
    usual: dict[str, Any] = {
        "id": "idp",
        "config": ConfigType.OIDC,
        "name": "corp",
        "client_id": CLIENT_ID,
        "client_secret": "known to two",
        "discovery_endpoint": ISSUER + DISCOVERY,
        "domain_names": ("corp.example.com",),
        "upn_claim": "upn",
        "groups_claim": "groups",
    }
    return IdentityProvider(**(usual | given))


def claims(now: float, **given: Any) -> dict[str, Any]:
    """Those of a good token at a moment, where nothing else is ``given``; what is ``None`` is left out."""
    usual = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": "4711",
        "iat": int(now),
        "exp": int(now) + 300,
        "upn": "alice@corp.example.com",
        "groups": ["developers"],
    }
    return {name: value for name, value in (usual | given).items() if value is not None}


def signed(of: Mapping[str, Any], key: Key = RSA, algorithm: str = "RS256", **header: Any) -> str:
    """A token."""
    kid = {"kid": key.kid} if key.kid is not None else {}
    head = {"alg": algorithm, **kid, **header}
    return jwt.encode(head, dict(of), key, algorithms=[algorithm])


def raw(header: object, payload: object, signature: bytes = b"") -> str:
    """A token of anything."""
    return ".".join(encoded(each) for each in (written(header), written(payload), signature))


def written(value: object) -> bytes:
    """As it stands in a token."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def encoded(data: bytes) -> str:
    """Base64 as tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
