"""Who has called in a session a moment ago is known again, until anything says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.access.principal import Scope
from resphere.access.roles import ADMIN, NO_ACCESS
from resphere.auth.accounts import Account
from resphere.auth.credentials import Credentials
from resphere.auth.sessions import Session, digest
from resphere.inventory.model import ROOT_FOLDER
from resphere.replica.edit import Edit
from resphere.server.exchange import Caller
from tests.support.calls import ApiCall
from tests.support.scoped import ANN, ask_as_ann, give, permission
from tests.support.served import Served

MINUTE = timedelta(minutes=1)
CLUSTER = ApiCall("GET", "/api/vcenter/cluster/none", None)
NOT_FOUND, UNAUTHENTICATED = 404, 401


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        ask_as_ann(made, [permission(ROOT_FOLDER, ADMIN)])
        yield made


def ask(served: Served) -> int:
    return served.ask_api(CLUSTER).status


def known(served: Served, moment: datetime | None = None) -> Caller | None:
    """The caller, if it is known again."""
    shown = Credentials(served.token)
    return served.pipeline.known_callers.again(shown, served.now if moment is None else moment)


def session(served: Served) -> Session:
    found = served.world.inventory.get(Session, digest(served.token))
    assert found is not None
    return found


def test_a_caller_is_known_by_its_session(served: Served) -> None:
    assert ask(served) == NOT_FOUND
    first = known(served)
    assert first is not None
    assert first.session.user == ANN.name
    assert ask(served) == NOT_FOUND
    assert known(served) is first


def test_any_commit_has_it_found_out_anew(served: Served) -> None:
    ask(served)
    before = known(served)
    give(served.world, [permission(ROOT_FOLDER, NO_ACCESS)])
    assert ask(served) != NOT_FOUND
    now = known(served)
    assert now is not None
    assert before is not None
    assert now.view.key != before.view.key


def test_a_session_that_was_ended_lets_nobody_in(served: Served) -> None:
    ask(served)
    served.world.run(served.pipeline.sessions.close(session(served)))
    assert ask(served) == UNAUTHENTICATED
    assert known(served) is None


def test_an_account_that_was_disabled_lets_nobody_in(served: Served) -> None:
    ask(served)

    def disable(edit: Edit) -> None:
        account = edit.get(Account, ANN.name)
        assert account is not None
        edit.put(msgspec.structs.replace(account, disabled=True))

    served.world.run(served.world.inventory.change(disable))
    assert ask(served) == UNAUTHENTICATED


def test_what_time_alone_can_end_is_looked_at_anew(served: Served) -> None:
    ask(served)
    opened = session(served).last_accessed_time
    assert known(served, opened + MINUTE - timedelta(milliseconds=1)) is not None
    assert known(served, opened + MINUTE) is None  # the access is to be written down
    assert known(served, opened - timedelta(milliseconds=1)) is None  # the clock went back


def test_each_call_counts_as_an_access(served: Served) -> None:
    ask(served)
    later = served.now + MINUTE / 2
    assert known(served, later) is not None
    assert served.pipeline.sessions.last_accessed(session(served)) == later


def test_who_shows_a_token_besides_is_not_known_by_the_session(served: Served) -> None:
    ask(served)
    both = Credentials(served.token, bearer="another")
    assert served.pipeline.known_callers.again(both, served.now) is None


def test_a_session_that_an_api_token_has_opened_ends_with_it(served: Served) -> None:
    tokens = served.world.environment.identities.tokens
    made = served.world.run(tokens.make(ANN.name, "ci", Scope(), None))
    sessions = served.pipeline.sessions
    served.token = served.world.run(sessions.open(ANN, "token", token=made.token.id))
    assert ask(served) == NOT_FOUND
    assert known(served) is None


def test_whose_checks_are_recorded_is_not_known_again(served: Served) -> None:
    served.world.run(served.world.environment.checks.want())
    assert ask(served) == NOT_FOUND
    assert known(served) is None
