"""Obtains a certificate and puts it where the server finds it. A process of its own: what it imports is seldom used.

Reads an :class:`~resphere.server.acme.order.Order` from standard input. Ends with 0, or with 1 and a line of why.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import requests
from acme import challenges, client, errors, messages, standalone
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from resphere import __version__
from resphere.certificates.files import installed_files, key_pem, locked, read, write, write_bundle
from resphere.certificates.issuing import general_name, new_key, server_subject, signing_request
from resphere.private_files import require_private
from resphere.server.acme.order import Order

ACCOUNT_KEY = "acme-account.key"
LONGEST = timedelta(seconds=150)


class NotObtained(Exception):
    """Why there is no certificate."""


def main() -> int:
    """See above."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    directory = Path(order.directory)
    try:
        chain, key = obtain(order)
        with locked(directory):
            write_bundle(installed_files(directory).key, chain, key)
    except (errors.Error, messages.Error, requests.RequestException, OSError, NotObtained, ValueError) as error:
        sys.stderr.write(" ".join(f"{told(error)}".split()) + "\n")
        return 1
    return 0


def told(error: Exception) -> str:
    """Why, as far as it is known: the authority says it of each name."""
    if isinstance(error, errors.ValidationError):
        failed = [
            f"{authorization.body.identifier.value}: {challenge.error}"
            for authorization in error.failed_authzrs
            for challenge in authorization.body.challenges
            if challenge.error is not None
        ]
        return "; ".join(failed) or "the authority has found none of the names proved"
    return str(error) or type(error).__name__


def obtain(order: Order) -> tuple[tuple[x509.Certificate, ...], ec.EllipticCurvePrivateKey]:
    """A certificate with its chain, and its key."""
    account = JWKEC(key=account_key(Path(order.directory)))
    net = client.ClientNetwork(account, alg=ES256, user_agent=f"resphere/{__version__}")
    authority = client.ClientV2(client.ClientV2.get_directory(order.url, net), net)
    register(authority, order.email)
    key = new_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    names = [general_name(name) for name in order.names]
    placed = authority.new_order(signing_request(server_subject(order.names[0]), names, key))
    proofs = [(challenge, *challenge.response_and_validation(account)) for challenge in http_challenges(placed)]
    resources = {
        standalone.HTTP01RequestHandler.HTTP01Resource(challenge.chall, response, validation)
        for challenge, response, validation in proofs
    }
    try:
        servers = standalone.HTTP01DualNetworkedServers(("", order.http_port), resources)
    except OSError as error:
        raise NotObtained(f"cannot listen on --acme-http-port {order.http_port}: {error.strerror}") from error
    servers.serve_forever()
    try:
        for challenge, response, _ in proofs:
            authority.answer_challenge(challenge, response)
        # Naive and local, as the library has it.
        deadline = datetime.now(UTC).astimezone().replace(tzinfo=None) + LONGEST
        finished = authority.poll_and_finalize(placed, deadline)
    finally:
        servers.shutdown_and_server_close()
    return tuple(x509.load_pem_x509_certificates(finished.fullchain_pem.encode())), key


def register(authority: client.ClientV2, email: str | None) -> None:
    """Have an account there; whoever has a directory of it agrees to the authority's terms, as the setting says."""
    wanted = messages.NewRegistration.from_data(email=email, terms_of_service_agreed=True)
    try:
        authority.new_account(wanted)
    except errors.ConflictError as conflict:
        known = messages.RegistrationResource(uri=conflict.location, body=messages.Registration())
        authority.net.account = known
        authority.query_registration(known)


def http_challenges(placed: messages.OrderResource) -> list[messages.ChallengeBody]:
    """Those of HTTP, one for each name that is not proved yet.

    :raises NotObtained: the authority wants another kind of proof.
    """
    found = []
    for authorization in placed.authorizations:
        if authorization.body.status == messages.STATUS_VALID:
            continue
        offered = [one for one in authorization.body.challenges if isinstance(one.chall, challenges.HTTP01)]
        if not offered:
            raise NotObtained(f"the authority takes no HTTP-01 for {authorization.body.identifier.value}")
        found.append(offered[0])
    return found


def account_key(directory: Path) -> ec.EllipticCurvePrivateKey:
    """The key of the account, made at first."""
    path = directory / ACCOUNT_KEY
    with locked(directory):
        if not path.exists():
            write(path, key_pem(new_key()), 0o600)
        require_private(path)
        key = load_pem_private_key(read(path), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise NotObtained(f"{path} holds no elliptic curve key")
    return key


if __name__ == "__main__":
    sys.exit(main())
