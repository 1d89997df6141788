"""A real provider of OpenID Connect, in a process of the test's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from resphere.auth.oidc.providers import DISCOVERY
from resphere.certificates.files import TlsFiles
from tests.support.server import clean_environment, free_port, wait_until

CLIENT_ID = "resphere"
SECRET = "a secret of two"
OVER_TLS = """
import functools, os, uvicorn
files = {"ssl_certfile": os.environ["TLS_CERTIFICATE"], "ssl_keyfile": os.environ["TLS_KEY"]}
uvicorn.run = functools.partial(uvicorn.run, **files)
from oidc_provider_mock.__main__ import run
run()
"""
"""The provider's own program, which has no flags for TLS."""
BACK = "https://client.example.com/back"


class OidcProvider:
    """A running provider; ``issuer`` is its address, and whom it says that it is. ``tls``: by which files it serves."""

    def __init__(self, users: Mapping[str, Mapping[str, Any]], tls: TlsFiles | None = None) -> None:
        self._users = users
        self._tls = tls
        self._http = requests.Session()
        if tls is not None:
            self._http.verify = str(tls.ca_certificate)
            # Else a bundle that the environment names would go before it.
            self._http.trust_env = False
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._port}"

    @property
    def discovery(self) -> str:
        """Where its metadata is."""
        return self.issuer + DISCOVERY

    def start(self, *flags: str) -> None:
        """Start, with keys of its own, and wait until it answers."""
        users = [
            text
            for subject, claims in self._users.items()
            for text in ("--user-claims", json.dumps({"sub": subject, **claims}))
        ]
        program = ["-m", "oidc_provider_mock"] if self._tls is None else ["-c", OVER_TLS]
        command = [sys.executable, "-W", "ignore", *program, "--port", str(self._port)]
        environment = clean_environment()
        if self._tls is not None:
            environment |= {"TLS_CERTIFICATE": str(self._tls.certificate), "TLS_KEY": str(self._tls.key)}
        self._process = subprocess.Popen(
            [*command, *users, *flags],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, "the provider to answer", 60)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the provider ended"
        with suppress(requests.ConnectionError):
            return self._http.get(self.discovery, timeout=10).ok
        return False

    def token(self, subject: str, client_id: str = CLIENT_ID) -> str:
        """An ID token, as a client gets one for a user who logs in."""
        asked = {"response_type": "code", "client_id": client_id, "redirect_uri": BACK, "scope": "openid profile email"}
        reply = self._http.post(
            f"{self.issuer}/oauth2/authorize",
            params=asked,
            data={"sub": subject, "action": "authorize"},
            allow_redirects=False,
            timeout=30,
        )
        [code] = parse_qs(urlsplit(reply.headers["Location"]).query)["code"]
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        tokens = self._http.post(f"{self.issuer}/oauth2/token", data=given, auth=(client_id, SECRET), timeout=30)
        assert tokens.ok, tokens.text
        text: str = tokens.json()["id_token"]
        return text

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@contextmanager
def running_provider(users: Mapping[str, Mapping[str, Any]], tls: TlsFiles | None = None) -> Iterator[OidcProvider]:
    """A provider with its users, for the time of a test or of several."""
    provider = OidcProvider(users, tls)
    try:
        provider.start()
        yield provider
    finally:
        provider.stop()
