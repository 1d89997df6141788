"""Whose a session is: the local account's as it is now, or whom another identity source told of at login."""

from __future__ import annotations

import itertools
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resphere.access.principal import Principal
from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.auth.accounts import Account, LocalAccounts
from resphere.auth.by_session import BySession
from resphere.auth.credentials import Credentials
from resphere.auth.groups import EVERYONE
from resphere.auth.sessions import Session, SessionLimits, Sessions
from resphere.auth.tokens import Tokens
from resphere.auth.wiring import WIRING
from resphere.contract.errors import Unauthenticated
from resphere.replica.replica import Replica
from tests.replica.worlds import run

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANN = "ann@corp.example"


def test_whose_a_session_is(tmp_path: Path) -> None:
    async def whole(replica: Replica) -> None:
        accounts = LocalAccounts(replica, secrets.token_bytes)
        numbers = itertools.count()
        sessions = Sessions(replica, SessionLimits(), lambda: NOW, lambda size: next(numbers).to_bytes(size, "big"))
        tokens = Tokens(replica, timedelta(days=1), lambda: NOW, secrets.token_bytes)
        method = BySession(sessions, accounts, tokens)

        async def principal(token: str) -> Principal:
            identity = await method.identify(Credentials(session_id=token), NOW)
            assert identity is not None
            assert identity.session is not None
            return identity.principal

        await accounts.put(ANN, "secret")
        local = accounts.principal(ANN)
        assert local == Principal(ANN, frozenset({EVERYONE}))
        federated = Principal(ANN, frozenset({"staff@corp.example"}), "corp.example")
        of_local = await sessions.open(local, "password")
        of_federated = await sessions.open(federated, "ldap")
        assert await principal(of_local) == local
        assert await principal(of_federated) == federated
        assert {session.method for session in replica.all(Session).values()} == {"password", "ldap"}

        await replica.change(lambda edit: edit.delete(Account, ANN))
        with pytest.raises(Unauthenticated):
            await principal(of_local)
        # The account's end is not the end of whom another source knows by the same name.
        assert await principal(of_federated) == federated

    run(whole, tmp_path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES))
