"""Who has asked for work that is done later: written down with the work, and let in when it is done.

What is written down are names. What they may do is found out at that time: an account that is disabled by then, a role
that was taken, a token that was revoked refuse the work.
"""

from __future__ import annotations

import msgspec

from resphere.access.principal import Principal


class Requester(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user, by name; ``token`` is the id of the API token that has let the user in, whose scope is the work's.

    Of a user without a local account, ``source`` names the identity source, ``groups`` are those that it told of, and
    ``granted`` the local ones that stand for them, as in sessions. ``client`` is the address that the request came
    from.
    """

    user: str
    source: str | None = None
    groups: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    token: str | None = None
    client: str = ""


def requester(principal: Principal, token: str | None, client: str, foreign: frozenset[str]) -> Requester:
    """Who ``principal`` is; ``foreign`` are those of its groups that its identity source has told of."""
    if principal.source is None:
        return Requester(user=principal.name, token=token, client=client)
    return Requester(
        user=principal.name,
        source=principal.source,
        groups=tuple(sorted(foreign)),
        granted=tuple(sorted(principal.granted)),
        token=token,
        client=client,
    )
