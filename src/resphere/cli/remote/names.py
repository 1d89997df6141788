"""What people call objects: by name, by glob, by path, by id."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.inputs import place
from resphere.cli.remote.nouns import Noun
from resphere.cli.remote.resources import ALL, NOUNS
from resphere.cli.remote.rows import Calls, Row, at, got, listed
from resphere.contract.errors import NotFound
from resphere.nearest import meant

GLOB = re.compile(r"[*?\[]")
MOST_TOLD = 5
BY_ID_TYPE = {noun.id_type: noun for noun in ALL if noun.id_type is not None}
ROOTS = {"vm": "VIRTUAL_MACHINE", "host": "HOST", "datastore": "DATASTORE", "network": "NETWORK"}
"""The folders below each datacenter, as paths name them -> their type."""


class Target(msgspec.Struct, frozen=True):
    """An object that is meant: its id, and what to call it."""

    id: str
    label: str


class Names:
    """Finds what is meant, and asks the server as little as that needs. ``above`` is the input that names the parents
    of a noun which stands in another."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def one(self, noun: Noun, text: str, above: Mapping[str, Any] | None = None) -> Target:
        """The one object that is meant.

        :raises Ended: there is none, or there are several.
        """
        found = self._found(noun, text, above or {})
        if len(found) > 1:
            told = ", ".join(target.id for target in found[:MOST_TOLD])
            more = "" if len(found) <= MOST_TOLD else f" and {len(found) - MOST_TOLD} more"
            raise Ended(f"{text} means {len(found)} {noun.plural}: {told}{more}; name one by its id", Exit.NOT_FOUND)
        return found[0]

    def many(self, noun: Noun, texts: Sequence[str], above: Mapping[str, Any] | None = None) -> list[Target]:
        """All objects that are meant, each once: a glob may mean many, everything else means one.

        :raises Ended: something means none, or a name that is no glob means several.
        """
        found: dict[str, Target] = {}
        for text in texts:
            targets = self._found(noun, text, above or {}) if is_glob(text) else [self.one(noun, text, above)]
            found.update({target.id: target for target in targets})
        return list(found.values())

    def id_of(self, id_type: str, text: str) -> str:
        """The id that an input wants, of whatever is known by name; all else is the id itself."""
        noun = BY_ID_TYPE.get(id_type)
        return text if noun is None or noun.parent is not None else self.one(noun, text).id

    def reference(self, text: str) -> dict[str, str]:
        """An object of any type, as ``vm/web-01``.

        :raises Ended: it is written another way, or there is none.
        """
        kind, slash, name = text.partition("/")
        noun = next((noun for noun in NOUNS.values() if kind in (noun.name, noun.plural)), None)
        if not slash or noun is None or noun.object_type is None:
            kinds = ", ".join(noun.name for noun in NOUNS.values() if noun.object_type)
            raise Ended(f"{text}: an object is written as KIND/NAME, KIND one of {kinds}", Exit.CALLED_WRONGLY)
        return {"type": noun.object_type, "id": self.one(noun, name).id}

    def _found(self, noun: Noun, text: str, above: Mapping[str, Any]) -> list[Target]:
        """What is meant; never nothing."""
        ways: list[Callable[[], list[Row]]] = []
        if is_glob(text):
            ways.append(lambda: [row for row in self.rows(noun, above) if fits(noun, row, text)])
        elif noun.filters is not None:
            ids, names = noun.filters
            ways += [lambda: self._filtered(noun, names, [text]), lambda: self._filtered(noun, ids, [text])]
        elif noun.each:
            ways.append(lambda: [row for row in self.rows(noun, above) if text in (row[noun.id], at(row, noun.label))])
        elif noun.get is not None and noun.label == noun.id:
            ways.append(lambda: self._by_id(noun, text, above))
        else:
            ways.append(
                lambda: [row for row in self.rows(noun, above) if text in (str(row[noun.id]), at(row, noun.label))]
            )
        if "/" in text.strip("/") or text.startswith("/"):
            ways.append(lambda: self._by_path(noun, text))
        for way in ways:
            if found := way():
                return [Target(str(row[noun.id]), str(at(row, noun.label) or row[noun.id])) for row in found]
        if is_glob(text):
            raise Ended(f"{text} means none of the {noun.plural}", Exit.NOT_FOUND)
        known = [str(at(row, noun.label)) for row in self.rows(noun, above)]
        raise Ended(f"there is no {noun.one} {text}{meant(text, known)}", Exit.NOT_FOUND)

    def rows(self, noun: Noun, above: Mapping[str, Any]) -> list[Row]:
        """All rows of a noun."""
        return listed(self._calls, noun, above)

    def _filtered(
        self, noun: Noun, filter: str, values: Sequence[str], more: Mapping[str, Any] | None = None
    ) -> list[Row]:
        input: dict[str, Any] = {}
        place(input, tuple(filter.split(".")), list(values))
        for dotted, value in (more or {}).items():
            place(input, tuple(dotted.split(".")), value)
        return listed(self._calls, noun, input)

    def _by_id(self, noun: Noun, text: str, above: Mapping[str, Any]) -> list[Row]:
        try:
            return [got(self._calls, noun, text, above)]
        except Ended as error:
            if isinstance(error.__cause__, NotFound):
                return []
            raise

    # --- paths -------------------------------------------------------------------------------------------------------

    def _by_path(self, noun: Noun, text: str) -> list[Row]:
        """``/Datacenter/vm/folder/name``, or the end of such a path: each word stands in what the word before means."""
        *way, name = [part for part in text.split("/") if part]
        places: dict[str, list[str]] = {}
        for word in way:
            places = self._below(word, places)
            if not places:
                return []
        return self._in(noun, name, places)

    def _below(self, word: str, places: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """What may be meant by a word of a path below ``places``: ids by noun."""
        if set(places) == {"datacenter"} and word in ROOTS:
            folders = listed(
                self._calls,
                NOUNS["folder"],
                {"filter": {"datacenters": places["datacenter"], "type": ROOTS[word], "names": [word]}},
            )
            return {"folder": [row["folder"] for row in folders], "datacenter": places["datacenter"]}
        found: dict[str, list[str]] = {}
        for kind in ("datacenter", "folder", "cluster", "host", "pool"):
            if kind in ("host", "pool") and not set(places) & {"cluster", "folder", "pool", "host"}:
                continue
            rows = self._in(NOUNS[kind], word, places)
            if rows:
                found[kind] = [row[NOUNS[kind].id] for row in rows]
        return found

    def _in(self, noun: Noun, name: str, places: Mapping[str, list[str]]) -> list[Row]:
        """The objects of that name in any of the places; anywhere, where none is given."""
        assert noun.filters is not None or not places
        if noun.filters is None:
            return []
        inside = [(kind, filter) for kind, filter in noun.containers if kind in places and kind != "datacenter"]
        if not places:
            return self._filtered(noun, noun.filters[1], [name])
        if not inside:
            inside = [(kind, filter) for kind, filter in noun.containers if kind in places]
        rows: dict[str, Row] = {}
        for kind, filter in inside:
            for row in self._filtered(noun, noun.filters[1], [name], {filter: places[kind]}):
                rows[row[noun.id]] = row
        return list(rows.values())


def is_glob(text: str) -> bool:
    """Whether it may mean many."""
    return GLOB.search(text) is not None


def fits(noun: Noun, row: Row, glob: str) -> bool:
    """Whether a glob means the object of a row, by its name or its id."""
    return any(
        fnmatch.fnmatchcase(str(given), glob) for given in (at(row, noun.label), row[noun.id]) if given is not None
    )
