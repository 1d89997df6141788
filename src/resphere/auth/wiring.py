"""What accounts, groups, sessions and tokens bring to a server."""

from __future__ import annotations

from resphere.auth.accounts import ACCOUNTS
from resphere.auth.administration import RULES
from resphere.auth.groups import GROUPS
from resphere.auth.ldap.settings import LDAP_SOURCES
from resphere.auth.lockout import LOGINS
from resphere.auth.oidc.providers import IDENTITY_PROVIDERS
from resphere.auth.replays import TAKEN_PROOFS, Replays
from resphere.auth.saml.signing import TOKEN_SIGNING
from resphere.auth.sessions import SESSIONS, Sessions
from resphere.auth.tokens import API_TOKENS, Tokens
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(
    tables=(
        ACCOUNTS,
        GROUPS,
        LOGINS,
        SESSIONS,
        API_TOKENS,
        LDAP_SOURCES,
        IDENTITY_PROVIDERS,
        TAKEN_PROOFS,
        TOKEN_SIGNING,
    ),
    rules=RULES,
    sweeps=(Sweep(Sessions, Sessions.sweep), Sweep(Tokens, Tokens.sweep), Sweep(Replays, Replays.sweep)),
)
