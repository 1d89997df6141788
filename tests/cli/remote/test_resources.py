"""The table of nouns is true to the contract, and the line of each command is there."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest

from resphere.cli.main import parser
from resphere.cli.remote.given import parents_of, target_of
from resphere.cli.remote.inputs import is_struct, leaf_at, leaves
from resphere.cli.remote.nouns import Noun, Verb
from resphere.cli.remote.operations import operation
from resphere.cli.remote.resources import ALL, NOUNS
from resphere.cli.table import COMMANDS
from resphere.contract.type_forms import without_none


def row_type(noun: Noun) -> Any:
    """The structure of a noun's rows."""
    found = operation(noun.get or "").output if noun.each else operation(noun.list).output
    if noun.rows is not None:
        found = next(field.type for field in msgspec.structs.fields(found) if field.name == noun.rows)
    return found if is_struct(found) else typing.get_args(found)[1 if typing.get_origin(found) is dict else 0]


def leads_somewhere(struct: Any, dotted: str) -> bool:
    """Whether a path leads to a field."""
    for name in dotted.split("."):
        if typing.get_origin(struct) is tuple and name.isdigit():
            struct = typing.get_args(struct)[0]
            continue
        fields = (
            {field.encode_name: field.type for field in msgspec.structs.fields(struct)} if is_struct(struct) else {}
        )
        if name not in fields:
            return is_struct(struct) is False and not fields and struct is not str
        struct = without_none(fields[name])
    return True


@pytest.mark.parametrize("noun", ALL, ids=lambda noun: noun.name)
def test_a_noun_is_as_the_contract_has_it(noun: Noun) -> None:
    row = row_type(noun)
    keyed = typing.get_origin(operation(noun.list).output) is dict
    for column in (noun.id, noun.label, *noun.columns, *noun.wide):
        assert (keyed and column == noun.id) or leads_somewhere(row, column), column
    places = {leaf.dotted for leaf in leaves(operation(noun.list).input)}
    assert {*(noun.filters or ()), *(place for _, place in noun.containers)} <= places
    assert all(kind in NOUNS for kind, _ in noun.containers)


def verbs(noun: Noun) -> list[Verb]:
    """All verbs of a noun, also those below a word."""
    found: list[Verb] = []
    for verb in noun.verbs.values():
        found += [verb] if isinstance(verb, Verb) else list(verb.verbs.values())
    return found


@pytest.mark.parametrize(
    ("noun", "verb"), [pytest.param(noun, verb, id=verb.operation) for noun in ALL for verb in verbs(noun)]
)
def test_a_verb_is_as_the_contract_has_it(noun: Noun, verb: Verb) -> None:
    struct = operation(verb.operation).input
    for _, dotted in verb.arguments:
        leaf_at(struct, tuple(dotted.split(".")))
    assert noun.parent is None or not {*parents_of(noun)} - {*operation(noun.list).input.__struct_fields__}
    for dotted in (*verb.fixed, *verb.without):
        leaf_at(struct, tuple(dotted.split(".")))
    if verb.on != "none":
        leaf_at(struct, tuple(target_of(noun, verb).split(".")))
    if verb.task is not None:
        assert operation(verb.task).input.__struct_fields__ == struct.__struct_fields__
    if any(word in verb.operation for word in ("delete", "stop", "reset", "revert", "disconnect", "cancel")):
        assert verb.destroys


def test_every_noun_has_its_line() -> None:
    assert {command.noun for command in COMMANDS.values() if command.noun} == set(NOUNS)
    assert all(
        COMMANDS[name].aliases == ((noun.plural,) if noun.plural != name else ()) for name, noun in NOUNS.items()
    )


def test_help_says_the_same_in_short_and_in_full() -> None:
    commands = parser().commands
    assert all(commands[name].format_help() for name in COMMANDS)
