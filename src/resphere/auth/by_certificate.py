"""Authentication by a client's certificate."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import ClassVar

from resphere.auth.accounts import LocalAccounts, canonical_name
from resphere.auth.authentication import Identity, failed
from resphere.auth.client_certificates import NotGood, Trust
from resphere.auth.credentials import Credentials

log = logging.getLogger(__name__)


class ByCertificate:
    """Takes the certificate that a client has shown to a trusted proxy, of whom ``trust`` says.

    It opens sessions, and does no more: a browser shows it by itself, be it a page of somebody else's that asks.
    """

    name: ClassVar[str] = "certificate"

    def __init__(self, trust: Trust, accounts: LocalAccounts) -> None:
        self._trust = trust
        self._accounts = accounts

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user whom the certificate is of."""
        if credentials.certificate is None:
            return None
        try:
            name = await asyncio.to_thread(self._trust.user_of, credentials.certificate, moment)
        except NotGood as error:
            log.warning("%s", error)
            raise failed() from error
        principal = self._accounts.principal(canonical_name(name))
        if principal is None:
            log.warning("the client's certificate is good, but there is no account %r", name)
            raise failed()
        return Identity(principal, self.name)
