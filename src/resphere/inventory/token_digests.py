"""What is kept of tokens that stand in addresses."""

from __future__ import annotations

import hashlib


def token_digest(token: str) -> str:
    """What is kept and compared of a token: whoever reads it has not got the token, and the time that a comparison
    takes tells nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
