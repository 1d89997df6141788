"""Messages name objects to those who may know of them."""

from __future__ import annotations

import msgspec
import pytest

from resphere.contract.errors import ResourceInUse, Unauthorized, message, vim_message, worded
from resphere.contract.mentions import Mention, NamingMessage, everything, nothing, recordable, told
from resphere.contract.model import LocalizableMessage

WEB, DB, APP = Mention("vm-1", "web"), Mention("vm-2", "db"), Mention("vm-3", "app")
UNSEEN = "an object that you may not see"


def only(*known: str) -> set[str]:
    return set(known)


def test_a_message_without_objects_is_the_same_for_everybody() -> None:
    plain = message("an.id", "There are {0} of {1}.", 3, "them")
    assert type(plain) is LocalizableMessage
    assert told(plain, nothing) is plain


def test_who_knows_all_reads_all_of_it() -> None:
    naming = message("an.id", "{0} is used by {1}.", "it", WEB)
    expected = LocalizableMessage(id="an.id", default_message="it is used by web.", args=("it", "web"))
    assert told(naming, everything) == expected
    assert (naming.default_message, naming.args) == (expected.default_message, expected.args)
    assert type(told(naming, everything)) is LocalizableMessage


def test_an_object_is_named_to_who_knows_it_and_to_nobody_else() -> None:
    naming = message("an.id", "{0} and {1}.", WEB, DB)
    shown = told(naming, only("vm-2").__contains__)
    assert shown.default_message == f"{UNSEEN} and db."
    assert shown.args == (UNSEEN, "db")


@pytest.mark.parametrize("make", [worded, vim_message])
def test_what_has_no_arguments_gets_none(make: type) -> None:
    shown = told(make("vmsg.id", "No place for {0}.", WEB), nothing)
    assert (shown.default_message, shown.args) == (f"No place for {UNSEEN}.", ())


def test_name_and_id_of_what_is_not_known_are_one() -> None:
    both = message("an.id", "In {0} ({1}) is {2}.", WEB, Mention("vm-1", "vm-1"), "it")
    assert told(both, everything).default_message == "In web (vm-1) is it."
    assert told(both, nothing).default_message == f"In {UNSEEN} is it."


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (("vm-1", "vm-2", "vm-3"), "web, db, app"),
        (("vm-1", "vm-3"), f"web, app, {UNSEEN}"),
        (("vm-3",), "app, 2 objects that you may not see"),
        ((), "3 objects that you may not see"),
    ],
)
def test_of_several_objects_those_not_known_are_counted(known: tuple[str, ...], words: str) -> None:
    several = message("an.id", "Reached: {0}.", (WEB, DB, APP))
    assert told(several, known.__contains__).args == (words,)


def test_words_with_braces_are_words() -> None:
    braces = message("an.id", "{0} is not {1}.", "{0}", Mention("vm-1", "{1}"))
    assert told(braces, everything).default_message == "{0} is not {1}."
    assert told(braces, nothing).default_message == f"{{0}} is not {UNSEEN}."


def test_a_record_is_read_again_as_it_was_written() -> None:
    for each in (message("an.id", "{0}, {1}.", WEB, (DB, APP)), message("an.id", "{0}.", "a {word}"), worded("i", "x")):
        read = msgspec.json.decode(msgspec.json.encode(recordable(each)), type=NamingMessage)
        for knows in (nothing, everything, only("vm-3").__contains__):
            assert told(read, knows) == told(each, knows)


def test_a_record_of_before_there_were_mentions_is_read() -> None:
    old = b'{"id":"an.id","default_message":"web is used.","args":["web"]}'
    read = msgspec.json.decode(old, type=NamingMessage)
    assert told(read, nothing) == LocalizableMessage(id="an.id", default_message="web is used.", args=("web",))


def test_an_error_is_addressed_and_stays_what_it_is() -> None:
    error = ResourceInUse(message("an.id", "By {0}.", WEB)).http(409, [("Allow", "GET")])
    addressed = error.addressed(nothing)
    assert type(addressed) is ResourceInUse
    assert (addressed.status, addressed.headers) == (409, (("Allow", "GET"),))
    assert str(addressed) == addressed.messages[0].default_message == f"By {UNSEEN}."
    assert str(error) == error.messages[0].default_message == "By web."
    assert error.value(nothing).messages == addressed.messages
    refused = Unauthorized(message("an.id", "No."), privilege="System.Read").addressed(nothing)
    assert isinstance(refused, Unauthorized)
    assert refused.privilege == "System.Read"
