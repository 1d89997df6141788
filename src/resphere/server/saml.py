"""SAML tokens of one worker: who is trusted, what lets callers in, and what issues tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from resphere.auth.accounts import LocalAccounts
from resphere.auth.replays import Replays
from resphere.auth.saml.by_saml import BySaml
from resphere.auth.saml.issuers import Issuers
from resphere.auth.saml.signing import OwnSigning
from resphere.auth.saml.solutions import BySolutionCertificate
from resphere.auth.saml.subjects import Subjects
from resphere.auth.saml.tokens import SecurityTokens
from resphere.auth.saml.verifying import TokenVerifier
from resphere.replica.replica import Replica
from resphere.server.saml_trust import SamlTrust
from resphere.services.call import Product


class Saml(msgspec.Struct, frozen=True):
    """What a worker does with SAML tokens."""

    signing: OwnSigning
    replays: Replays
    by_saml: BySaml
    by_certificate: BySolutionCertificate
    verifier: TokenVerifier
    subjects: Subjects
    tokens: SecurityTokens


def issuer_name(product: Product) -> str:
    """By what name tokens of this server say who issued them, as vCenter's do."""
    return f"https://{product.host_name}/websso/SAML2/Metadata/{product.sso_domain}"


def make_saml(
    replica: Replica,
    accounts: LocalAccounts,
    product: Product,
    trust: SamlTrust,
    knows: Callable[[str], bool],
    now: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> Saml:
    """All of it, for a server whose key is made before the first token is. ``knows`` tells whether there is an identity
    source of that id."""
    signing, replays = OwnSigning(replica), Replays(replica, now)
    issuers = Issuers(signing, product.sso_domain, f"https://{product.host_name}", trust.issuers)
    verifier, subjects = TokenVerifier(issuers.trust), Subjects(accounts, knows)
    return Saml(
        signing,
        replays,
        BySaml(verifier, subjects, replays),
        BySolutionCertificate(trust.solution_users, accounts, replays),
        verifier,
        subjects,
        SecurityTokens(signing, verifier, subjects, now, random_bytes),
    )
