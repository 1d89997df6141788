"""A trie of paths, made from the contract: from method, path and query to an operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

Query = Mapping[str, Sequence[str]]
"""Decoded query: key -> values in order."""


class Candidate(msgspec.Struct, frozen=True):
    """One operation at a path and method. ``dispatch`` are the query conditions, ``names`` the path parameters."""

    place: str
    names: tuple[str, ...]
    dispatch: tuple[tuple[str, str | None], ...]

    def fits(self, query: Query) -> bool:
        """Whether every condition holds."""
        return all(key in query and (value is None or query[key] == [value]) for key, value in self.dispatch)


class Node:
    """One segment of the trie."""

    __slots__ = ("literals", "methods", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, Node] = {}
        self.parameter: Node | None = None
        self.methods: dict[str, list[Candidate]] = {}


class Match(msgspec.Struct, frozen=True, gc=False):
    """A found operation: where it stands, its path parameters, and the query keys that selected it."""

    place: str
    parameters: dict[str, str]
    dispatch: tuple[tuple[str, str | None], ...]


class Found(msgspec.Struct, frozen=True, gc=False):
    """A path that exists: its methods with their candidates, and the values of its parameters."""

    node_methods: dict[str, list[Candidate]]
    values: tuple[str, ...]

    @property
    def allowed(self) -> tuple[str, ...]:
        """The methods of the path, as ``Allow`` lists them."""
        methods = set(self.node_methods) | {"OPTIONS"}
        if "GET" in methods:
            methods.add("HEAD")
        return tuple(sorted(methods))

    def select(self, method: str, query: Query) -> Match | None:
        """The operation that ``method`` and ``query`` mean, ``None`` where no candidate fits."""
        for candidate in self.node_methods.get(method, ()):
            if candidate.fits(query):
                return Match(candidate.place, dict(zip(candidate.names, self.values, strict=True)), candidate.dispatch)
        return None

    def actions(self, method: str) -> tuple[str, ...]:
        """The dispatch queries that ``method`` understands here, for a message."""
        return tuple(
            "&".join(key if value is None else f"{key}={value}" for key, value in candidate.dispatch)
            for candidate in self.node_methods.get(method, ())
            if candidate.dispatch
        )


class Router:
    """Finds operations. Built once from ``(method, path?dispatch, place)``."""

    def __init__(self, routes: Iterable[tuple[str, str, str]]) -> None:
        self._root = Node()
        for method, text, place in routes:
            self._add(method, text, place)

    def _add(self, method: str, text: str, place: str) -> None:
        path, _, query = text.partition("?")
        node, names = self._root, []
        for segment in path.split("/"):
            if not segment:
                continue
            if segment.startswith("{"):
                names.append(segment[1:-1])
                if node.parameter is None:
                    node.parameter = Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, Node())
        candidates = node.methods.setdefault(method, [])
        candidates.append(Candidate(place, tuple(names), tuple(conditions(query))))
        # The most particular first: `?action=clone&vmw-task=true` before `?action=clone`.
        candidates.sort(key=lambda candidate: -len(candidate.dispatch))

    def find(self, segments: Sequence[str]) -> Found | None:
        """The path made of decoded ``segments``, ``None`` where there is none."""
        node, values = self._root, []
        for position, segment in enumerate(segments):
            literal = node.literals.get(segment)
            if literal is not None and node.parameter is None:
                node = literal
            elif literal is None:
                if node.parameter is None:
                    return None
                node = node.parameter
                values.append(segment)
            else:
                # A literal and a parameter both fit: only then is it worth looking ahead.
                return self._search(literal, node.parameter, segments, position, values)
        return Found(node.methods, tuple(values)) if node.methods else None

    def _search(
        self, literal: Node, parameter: Node | None, segments: Sequence[str], position: int, values: list[str]
    ) -> Found | None:
        found = self._walk(literal, segments, position + 1, tuple(values))
        if found is None and parameter is not None:
            found = self._walk(parameter, segments, position + 1, (*values, segments[position]))
        return found

    def _walk(self, node: Node, segments: Sequence[str], position: int, values: tuple[str, ...]) -> Found | None:
        if position == len(segments):
            return Found(node.methods, values) if node.methods else None
        segment = segments[position]
        literal = node.literals.get(segment)
        if literal is not None:
            found = self._walk(literal, segments, position + 1, values)
            if found is not None:
                return found
        if node.parameter is not None:
            return self._walk(node.parameter, segments, position + 1, (*values, segment))
        return None


def conditions(query: str) -> Iterator[tuple[str, str | None]]:
    """``action=clone&name`` -> ("action", "clone"), ("name", None)."""
    for part in query.split("&") if query else ():
        key, equals, value = part.partition("=")
        yield key, value if equals else None
