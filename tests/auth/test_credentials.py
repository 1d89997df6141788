from __future__ import annotations

import pytest

from resphere.auth.credentials import NO_CREDENTIALS, Credentials


@pytest.mark.parametrize(
    "shown",
    [
        Credentials(user="ann", password="secret"),
        Credentials(user="ann", password="secret", client="192.0.2.1"),
        Credentials("stale", user="ann", password="secret"),
    ],
)
def test_who_is_let_in_by_a_password_alone_has_it(shown: Credentials) -> None:
    assert shown.password_alone


@pytest.mark.parametrize(
    "shown",
    [
        NO_CREDENTIALS,
        Credentials("session"),
        Credentials(user="ann"),
        Credentials(user="ann", password="secret", bearer="token"),
        Credentials(user="ann", password="secret", unaccepted="kind"),
    ],
)
def test_who_is_let_in_by_something_else_may_not_have_it(shown: Credentials) -> None:
    assert not shown.password_alone
