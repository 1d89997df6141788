"""Which areas of a provider's capabilities each operation needs, read off the code of its handler.

A handler needs what it asks of the capabilities itself, and what brings about the effects that it decides on
(``tasks/acts.py``); so do the functions of services and rules that it calls.
"""

from __future__ import annotations

import ast
import dis
import inspect
import textwrap
import typing
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import CodeType, FunctionType, ModuleType
from typing import Any

import msgspec

from resphere.inventory.effects import Effect
from resphere.providers.base import Capabilities, Missing
from resphere.services.registry import Implementation
from resphere.tasks.acts import ACTS, evacuate_and_enter

CAPABILITIES = ("can", "capabilities")
"""What capabilities are called where they are asked."""
CALLED = ("resphere.services.", "resphere.rules.")
"""Where functions are that are looked into; effects are decided on nowhere else."""
AREAS = tuple(field.name for field in msgspec.structs.fields(Capabilities) if Missing in typing.get_args(field.type))
"""Those that a provider may lack."""


def operations_by_area(implemented: dict[str, Implementation]) -> dict[str, list[str]]:
    """Area -> ids of the operations that need it, always or for some inputs."""
    needed = {id: areas_of(implementation.handler) for id, implementation in sorted(implemented.items())}
    return {area: [id for id, areas in needed.items() if area in areas] for area in AREAS}


def areas_of(handler: Callable[..., Any]) -> set[str]:
    """The areas that a handler needs."""
    areas: set[str] = set()
    pending, known = [handler], {handler}
    while pending:
        function = pending.pop()
        if not isinstance(function, FunctionType):
            continue
        names = set(names_in(function.__code__))
        areas |= set(read_in(function.__code__))
        for verb in verbs_for(function):
            areas |= acted_by(verb)
        for value in values_of(function, names):
            if isinstance(value, FunctionType) and value.__module__.startswith(CALLED) and value not in known:
                known.add(value)
                pending.append(value)
    return areas


def verbs_for(function: FunctionType) -> Iterator[Callable[..., Any]]:
    """What brings about the effects that a function makes; those that it only looks for are others' work."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            value = function.__globals__.get(node.func.id)
            if isinstance(value, type) and issubclass(value, Effect) and value in ACTS:
                yield ACTS[value]


def acted_by(verb: Callable[..., Any]) -> set[str]:
    """The areas whose verbs bring an effect about."""
    areas = set(read_in(verb.__code__))
    if evacuate_and_enter.__name__ in verb.__code__.co_names:
        areas |= set(read_in(evacuate_and_enter.__code__))
    return areas


def read_in(code: CodeType) -> Iterator[str]:
    """The areas that are read of capabilities in a piece of code and in the functions inside it."""
    for before, after in pairwise(dis.get_instructions(code)):
        if before.argval in CAPABILITIES and after.opname.startswith("LOAD_ATTR") and after.argval in AREAS:
            yield after.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from read_in(constant)


def values_of(function: FunctionType, names: set[str]) -> Iterator[Any]:
    """What the names in a function's code mean in its module, and in modules that it names."""
    for name in names:
        value = function.__globals__.get(name)
        if isinstance(value, ModuleType):
            yield from (getattr(value, inner) for inner in names if hasattr(value, inner))
        else:
            yield value


def names_in(code: CodeType) -> Iterator[str]:
    """The names of globals and attributes in a piece of code and in the functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
