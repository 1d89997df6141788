"""Methods are asked one after the other, and which depends on whether a session is to be opened."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from resphere.access.principal import Principal
from resphere.auth.authentication import Authentication, Identity, failed
from resphere.auth.credentials import Credentials
from resphere.contract.errors import Unauthenticated

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
ANN = Principal("ann@vsphere.local")


class Bearer:
    """Lets in who shows the token ``good``."""

    name = "bearer"

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        if credentials.bearer is None:
            return None
        if credentials.bearer != "good":
            raise failed()
        return Identity(ANN, self.name)


class Anybody:
    """Lets everybody in."""

    name = "anybody"

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        return Identity(ANN, self.name)


AUTHENTICATION = Authentication(at_login=(Bearer(),), at_calls=(Bearer(), Anybody()))


def identify(credentials: Credentials, *, login: bool) -> Identity:
    return asyncio.run(AUTHENTICATION.identify(credentials, MOMENT, login=login))


def test_the_first_method_that_knows_the_credentials_decides() -> None:
    assert identify(Credentials(bearer="good"), login=False).method == "bearer"


def test_a_method_that_knows_nothing_of_them_leaves_them_to_the_next() -> None:
    assert identify(Credentials(session_id="x"), login=False).method == "anybody"


def test_bad_credentials_are_refused_whatever_the_next_method_would_say() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        identify(Credentials(bearer="bad"), login=False)
    assert refusal.value.messages[0].id == "vapi.security.authentication.invalid"


@pytest.mark.parametrize(
    ("credentials", "id"),
    [
        (Credentials(), "com.vmware.vapi.endpoint.method.authentication.required"),
        (Credentials(session_id="x"), "com.vmware.vapi.endpoint.method.authentication.required"),
        (Credentials(unaccepted="pigeon"), "resphere.authentication.kind_not_accepted"),
    ],
)
def test_who_shows_nothing_that_a_method_knows_is_refused(credentials: Credentials, id: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        identify(credentials, login=True)
    assert refusal.value.messages[0].id == id
