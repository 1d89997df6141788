"""What a request shows of its caller."""

from __future__ import annotations

import msgspec


class ShownCertificate(msgspec.Struct, frozen=True, gc=False):
    """A certificate that the caller has shown to a trusted proxy, as that hands it on: the ``header``'s name and
    ``value``; ``chain`` is what stands beside it of certificates between it and its root."""

    header: str
    value: str
    chain: str | None = None


class Credentials(msgspec.Struct, frozen=True, gc=False):
    """What the caller shows of itself, wherever the dialect carries it; any of it, and several kinds at once.

    ``unaccepted`` names the kind of credentials where it is one that this server does not take. ``client`` is the
    address that a name and password come from.
    """

    session_id: str | None = None
    user: str | None = None
    password: str | None = None
    bearer: str | None = None
    """The token of ``Authorization: Bearer``, or of a security context that holds one."""
    certificate: ShownCertificate | None = None
    unaccepted: str | None = None
    client: str = ""

    @property
    def password_alone(self) -> bool:
        """Whether a name with a password is all that can let the caller in, so that who is let in has the password."""
        others = msgspec.structs.replace(self, session_id=None, user=None, password=None, client="")
        return self.user is not None and self.password is not None and others == NO_CREDENTIALS


NO_CREDENTIALS = Credentials()
