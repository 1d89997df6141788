"""What a noun of the command line is: in which terms ``resources`` declares them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

ONE, MANY, NONE = "one", "many", "none"


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """Something done by one operation, with flags for all of its input that comes no other way.

    ``on``: one object, many of them (names, paths, ids, globs), or none, and then it makes one. ``target`` is the place
    in the input that takes the object's id; unset: the noun's own. ``arguments`` are further words behind the name,
    each with its place in the input; ``fixed`` is given always. ``only``: the places that have flags, all below them
    included; unset: all. ``task`` is the operation that does the same as a task. ``destroys``: it asks before.
    ``done`` says what has become of an object. ``shows`` is the one field of the result that is printed.
    """

    operation: str
    help: str
    on: str = MANY
    target: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    fixed: Mapping[str, object] = {}
    only: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    task: str | None = None
    destroys: bool = False
    done: str = "done"
    shows: str | None = None


class Noun(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of object.

    ``list`` and ``get`` are the operations that read it, ``id`` the field with its id (also the input of ``get``),
    ``label`` the one with its name. ``id_type`` is the contract's type of its ids, ``object_type`` vSphere's word for
    it. ``columns`` are dotted fields of a row, ``wide`` those that ``-o wide`` shows besides.

    ``rows``: the field of the result that has the rows, ``pages`` the place in the input that asks for the next page.
    ``each``: a list has ids alone, and ``get`` the rest. ``parent``: the noun in which it stands, the first word behind
    the verb. ``filters`` are the places in the list's input where ids and names go, ``containers`` those of the objects
    in which they stand, by noun.
    """

    name: str
    plural: str
    help: str
    list: str
    id: str
    label: str = "name"
    get: str | None = None
    get_id: str | None = None
    id_type: str | None = None
    object_type: str | None = None
    columns: tuple[str, ...]
    wide: tuple[str, ...] = ()
    rows: str | None = None
    pages: str | None = None
    each: bool = False
    parent: str | None = None
    filters: tuple[str, str] | None = None
    containers: tuple[tuple[str, str], ...] = ()
    verbs: Mapping[str, Verb | Group] = {}

    @property
    def one(self) -> str:
        """What one of them is called."""
        return self.name if self.name != self.plural else self.name.removesuffix("s")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Verbs below a word (``vm power on``), or a noun below one (``vm snapshot ls``)."""

    help: str
    verbs: Mapping[str, Verb] = {}
    noun: Noun | None = None
