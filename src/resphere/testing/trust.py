"""Whom clients trust in tests: the server's own CA, and whomever they have trusted before."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
"""Environment variables by which clients are told whom they trust: requests, OpenSSL and what builds on it, curl."""


def write_bundle(ca_file: Path, bundle: Path, environment: Mapping[str, str] = os.environ) -> None:
    """A file with the CA and all others that are trusted without it, so that tests reach other servers, too."""
    named = [environment[name] for name in BUNDLES if environment.get(name)]
    others = (Path(name) for name in (*named, ssl.get_default_verify_paths().openssl_cafile))
    found = next((path.read_text() for path in others if path.is_file()), "")
    bundle.write_text(f"{ca_file.read_text()}\n{found}")
