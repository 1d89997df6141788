"""Authentication by name and password, for users whom a directory knows."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import ClassVar

from resphere.auth.accounts import Account
from resphere.auth.authentication import Identity, failed
from resphere.auth.credentials import Credentials
from resphere.auth.federated import directory_of, principal_of, unavailable
from resphere.auth.ldap.connection import DirectoryUnavailable
from resphere.auth.ldap.settings import LdapSource
from resphere.auth.ldap.source import Directories
from resphere.auth.names import LONGEST_NAME, split_name
from resphere.replica.replica import Replica

log = logging.getLogger(__name__)


class NotTaken(Exception):
    """Why a directory lets nobody in: for the audit trail."""


class ByDirectory:
    """Takes a name and a password where the name is of a directory's domain; names that say no domain are of the
    ``default_domain``, unless a local account is called so.
    """

    name: ClassVar[str] = "ldap"

    def __init__(self, replica: Replica, directories: Directories, default_domain: str | None = None) -> None:
        self._replica = replica
        self._directories = directories
        self._default_domain = default_domain

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user of that name and password."""
        if credentials.user is None or credentials.password is None:
            return None
        name = split_name(credentials.user.strip())
        source = self._source(name.user, name.domain)
        if source is None:
            return None
        if len(name.user) > LONGEST_NAME:
            raise failed() from NotTaken(f"the name has more than {LONGEST_NAME} characters")
        try:
            person = await self._directories.verify(source, name.user, credentials.password)
        except DirectoryUnavailable as error:
            raise unavailable() from error
        if person is None:
            raise failed() from NotTaken(f"the identity source {source.id} does not take the name and the password")
        return Identity(principal_of(source, person), self.name)

    def _source(self, user: str, domain: str | None) -> LdapSource | None:
        if domain is not None:
            return directory_of(self._replica, domain)
        if self._default_domain is None or self._replica.get(Account, user.casefold()) is not None:
            return None
        return directory_of(self._replica, self._default_domain)
