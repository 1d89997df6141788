"""Messages that name objects: each of them is named to those who may know of it, and to nobody else.

Who refuses something says by :class:`Mention` which words are the name of an object. Who reads the refusal, and what
that caller may know of, is seen to where it is told: in the pipeline, and where the record of a task is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from resphere.contract.model import LocalizableMessage

Knows = Callable[[str], bool]
"""Whether somebody may know of the object with that id."""


class Mention(msgspec.Struct, frozen=True):
    """``word`` (a name, an identifier, a path) tells of the object of the inventory with the id ``object``."""

    object: str
    word: str


UNSEEN = "an object that you may not see"
"""What stands for an object in the eyes of those who may not know of it; of several, their number is told."""

Part = str | Mention | tuple[Mention, ...]
"""What stands in a message: a word, an object, or a list of objects."""


class NamingMessage(LocalizableMessage, frozen=True, kw_only=True):
    """A message that names objects, as it is for somebody who may know of all.

    ``text`` holds ``{0}``, ``{1}``... where ``parts`` go; without parts it is like any other message.
    """

    text: str = ""
    parts: tuple[Part, ...] = ()


def told(message: LocalizableMessage, knows: Knows) -> LocalizableMessage:
    """The message as somebody reads it who ``knows`` of some objects only."""
    if not isinstance(message, NamingMessage):
        return message
    if not message.parts:
        return LocalizableMessage(id=message.id, default_message=message.default_message, args=message.args)
    words = tuple([_word(part, knows) for part in message.parts])
    # Of "web (vm-57)", both parts of which are the same object.
    text = message.text.format(*words).replace(f"{UNSEEN} ({UNSEEN})", UNSEEN)
    # As the message itself was made: some have arguments in their words alone.
    return LocalizableMessage(id=message.id, default_message=text, args=words if message.args else ())


def all_told(messages: Iterable[LocalizableMessage], knows: Knows) -> tuple[LocalizableMessage, ...]:
    """Several of them."""
    return tuple([told(message, knows) for message in messages])


def everything(_: str) -> bool:
    """Of somebody who may know of all objects."""
    return True


def nothing(_: str) -> bool:
    """Of somebody who may know of none."""
    return False


def recordable(message: LocalizableMessage) -> NamingMessage:
    """The message as a record keeps it, whoever is going to read that."""
    if isinstance(message, NamingMessage):
        return message
    return NamingMessage(id=message.id, default_message=message.default_message, args=message.args)


def words_of(parts: Iterable[Part]) -> tuple[str, ...]:
    """The words that stand in a message for somebody who may know of all."""
    return tuple([_word(part, everything) for part in parts])


def _word(part: Part, knows: Knows) -> str:
    if isinstance(part, str):
        return part
    mentions = (part,) if isinstance(part, Mention) else part
    known = [mention.word for mention in mentions if knows(mention.object)]
    hidden = len(mentions) - len(known)
    return ", ".join([*known, *([_unseen(hidden)] if hidden else [])])


def _unseen(count: int) -> str:
    return UNSEEN if count == 1 else f"{count} objects that you may not see"
