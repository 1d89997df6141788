"""What a command of a noun was given, and where in the input of an operation it goes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.inputs import Leaf, place
from resphere.cli.remote.names import Names
from resphere.cli.remote.nouns import Noun, Verb
from resphere.cli.remote.resources import NOUNS

PARENT, TARGETS = "parent", "targets"
FLAGS = "input_flags"


def parent_of(noun: Noun) -> Noun:
    """The noun in which it stands."""
    return NOUNS[noun.parent or ""]


def parents_of(noun: Noun) -> tuple[str, ...]:
    """The places in inputs that name the parent."""
    return (parent_input(noun),) if noun.parent is not None else ()


def parent_input(noun: Noun) -> str:
    """The place in the inputs of a noun's operations that names its parent."""
    above = parent_of(noun)
    return above.get_id or above.id


def target_of(noun: Noun, verb: Verb) -> str:
    """The place in a verb's input that names the object."""
    return verb.target or noun.get_id or noun.id


def given(options: argparse.Namespace) -> Mapping[Leaf, Any]:
    """What the flags give."""
    values = vars(options)
    found: dict[str, Leaf] = values[FLAGS]
    return {leaf: values[leaf.dotted] for leaf in found.values() if values.get(leaf.dotted) is not None}


def put_flags(into: dict[str, Any], options: argparse.Namespace, names: Names) -> None:
    """Put what the flags give where it goes, names as the ids that they mean."""
    for leaf, value in given(options).items():
        resolved = [resolve(leaf, each, names) for each in value] if leaf.many else resolve(leaf, value, names)
        place(into, leaf.path, resolved)


def resolve(leaf: Leaf, value: Any, names: Names) -> Any:
    """A value, or the id of what it names."""
    if leaf.is_object:
        return names.reference(value)
    return names.id_of(leaf.id_type, value) if leaf.id_type is not None else value


def above(noun: Noun, options: argparse.Namespace, names: Names) -> dict[str, Any]:
    """The input that names the parent, where the noun has one."""
    if noun.parent is None:
        return {}
    return {parent_input(noun): names.one(parent_of(noun), getattr(options, PARENT)).id}


def flag_names(options: argparse.Namespace) -> dict[str, str]:
    """Dotted place -> the flag, for messages."""
    found: dict[str, Leaf] = vars(options).get(FLAGS, {})
    return {leaf.dotted: name for name, leaf in found.items()}


def wrong(error: ValueError) -> Ended:
    """A value that does not fit, as the end of a command."""
    return Ended(str(error), Exit.CALLED_WRONGLY)
