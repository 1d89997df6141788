"""Where a server is, whose certificate is good, and why there was no answer, in words."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx2
import msgspec

from resphere.client.errors import BadInput, ClientError, ConnectionLost, TooSlow, Unreachable, UntrustedServer
from resphere.client.steps import Request

CONNECT_SECONDS = 10.0
LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
"""Idle connections go before servers close them, which would break the call that is just being sent."""


class Target(msgspec.Struct, frozen=True):
    """A server: ``base`` is scheme, host, port and whatever a proxy has put before the paths."""

    base: str
    connect_seconds: float = CONNECT_SECONDS
    limits: httpx2.Limits = LIMITS

    def address(self, request: Request) -> str:
        """The whole address of a request."""
        query = urlencode(request.query, quote_via=quote)
        return f"{request.base or self.base}{request.path}{'?' if query else ''}{query}"


def target_of(url: str) -> Target:
    """The server at an address, whose scheme may be left out.

    :raises BadInput: it is none.
    """
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError as error:
        raise BadInput(f"{url} is no address of a server: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput(f"{url} is no address of a server; one is https://vcenter.example.com")
    if parts.username is not None:
        raise BadInput("An address holds no user and no password here: give them as user and password.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Target(f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}")


def transfer_at(target: Target, address: str) -> Request:
    """A request at an address that a server has given for the bytes of a file: its own, or that of a host. The address
    itself says what may be done there, so that nobody says who calls, to whomever it leads.

    :raises BadInput: it is no address.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("", "http", "https") or not parts.path.startswith("/"):
        raise BadInput("That is no address of a file; one is such as upload_endpoint.uri has it.")
    # vCenter's own is written so where files of guests are: whatever host the client has reached it by.
    is_own = parts.hostname in (None, "*") or f"{parts.scheme}://{parts.netloc}" == target.base
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Request(
        "GET", parts.path, query, is_anonymous=True, base=None if is_own else f"{parts.scheme}://{parts.netloc}"
    )


def tls_by(ca_file: str | Path | None, verify: bool) -> ssl.SSLContext | bool:
    """Whose certificates are good: those of the system's authorities, of those in ``ca_file`` alone, or any.

    :raises BadInput: the file is none of certificates, or there is a file where nothing is verified.
    """
    if ca_file is None:
        return verify
    if not verify:
        raise BadInput("verify=False trusts everybody: a ca_file beside it would mean nothing.")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if not isinstance(error, ssl.SSLError) else None
        raise BadInput(f"{ca_file} cannot be read as a file of PEM certificates: {reason or 'it holds none'}") from None


def told(error: Exception, target: Target) -> ClientError:
    """Why there was no answer."""
    where = target.base
    causes = list(chain_of(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UntrustedServer(
                f"The certificate of {where} is not one to trust: {cause.verify_message}. ca_file names a file of the "
                "authority that is to be trusted."
            )
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return Unreachable(f"There is no connection to {where}: it did not come about in time.")
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        return Unreachable(f"There is no connection to {where}: {reason_of(causes)}.")
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | UnicodeError):
        return BadInput(f"The request to {where} cannot be sent: {error}.")
    if isinstance(error, httpx2.TimeoutException):
        return TooSlow(f"{where} did not answer in time; the call may have been done, or not.")
    return ConnectionLost(
        f"The connection to {where} broke before the answer was there; the call may have been done, or not."
    )


def chain_of(error: BaseException | None) -> list[BaseException]:
    """The error and what it came of."""
    found: list[BaseException] = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def reason_of(causes: list[BaseException]) -> str:
    """Why a connection did not come about."""
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return "there is no such host"
        if isinstance(cause, ConnectionRefusedError):
            return "nobody listens there"
        if isinstance(cause, ssl.SSLError):
            return f"TLS fails ({cause.reason or 'cut off'})"
    return str(causes[0]) or "it failed"
