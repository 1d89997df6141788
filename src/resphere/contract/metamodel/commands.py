"""The commands and namespaces of ``com.vmware.vapi.metadata.cli``, made from operations as VMware's dcli makes them of
the metamodel where it is told to (``+use-metamodel-metadata-only``, release 3.0); but an option that takes several
values of an enumeration can be given several times, as any other list of words, and not as a JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_cli import Command, Namespace
from resphere.contract.metamodel.elements import BUILTIN, GENERIC, Expression, Field
from resphere.contract.metamodel.infos import Describe
from resphere.contract.metamodel.served import Served

Generic = Command.GenericType


class Tree(msgspec.Struct, frozen=True):
    """The commands of each namespace, by its path: name -> service and operation; and the names of the namespaces in
    each. The outermost is ``""``."""

    commands: dict[str, dict[str, tuple[ids.VapiServiceId, ids.VapiOperationId]]]
    namespaces: dict[str, tuple[str, ...]]


@cache
def tree(services: tuple[tuple[ids.VapiServiceId, tuple[ids.VapiOperationId, ...]], ...]) -> Tree:
    """The tree of these services with their operations."""
    commands: dict[str, dict[str, tuple[ids.VapiServiceId, ids.VapiOperationId]]] = {}
    inner: dict[str, set[str]] = {"": set()}
    for service, operations in services:
        path = cli_name(service)
        while path:
            path, _, name = path.rpartition(".")
            inner.setdefault(path, set()).add(name)
        inner.setdefault(cli_name(service), set())
        for operation in operations:
            commands.setdefault(cli_name(service), {})[cli_name(operation)] = (service, operation)
    return Tree(commands, {path: tuple(sorted(names)) for path, names in sorted(inner.items())})


def tree_of(served: Served) -> Tree:
    """The tree of what is served."""
    return tree(tuple(served.services.items()))


def cli_name(name: str) -> str:
    """``com.vmware.vcenter.VM`` -> ``com.vmware.vcenter.vm``, ``list_attached_tags`` -> ``listattachedtags``."""
    return name.lower().replace("_", "")


def namespaces(tree: Tree) -> tuple[Namespace.Identity, ...]:
    """All namespaces but the outermost."""
    return tuple([identity(path) for path in tree.namespaces if path])


def identity(path: str) -> Namespace.Identity:
    """The identity of the namespace at a path."""
    above, _, name = path.rpartition(".")
    return Namespace.Identity(path=above, name=name)


def namespace(tree: Tree, wanted: Namespace.Identity) -> Namespace.Info | None:
    """A namespace with those in it, ``None`` where there is none."""
    path = joined(wanted.path, wanted.name)
    inner = tree.namespaces.get(path)
    if inner is None:
        return None
    children = tuple([Namespace.Identity(path=path, name=name) for name in inner])
    return Namespace.Info(identity=wanted, description="", children=children)


def joined(path: str, name: str) -> str:
    """The path of what stands in a namespace."""
    return f"{path}.{name}" if path and name else path or name


def identities(tree: Tree, path: str | None) -> tuple[Command.Identity, ...] | None:
    """The commands in a namespace, or all; ``None`` where there is no such namespace."""
    if path is not None and path not in tree.namespaces:
        return None
    paths = tree.commands if path is None else [path]
    return tuple([Command.Identity(path=at, name=name) for at in paths for name in tree.commands.get(at, ())])


def command(served: Served, wanted: Command.Identity, describe: Describe) -> Command.Info | None:
    """A command, ``None`` where there is none."""
    found = tree_of(served).commands.get(wanted.path, {}).get(wanted.name)
    if found is None:
        return None
    service, name = found
    element = served.operation(service, name)
    return Command.Info(
        identity=wanted,
        description=describe(service, name),
        service_id=service,
        operation_id=name,
        options=tuple(renamed(options_of(served, element.input, (), (), False))),
        formatter=formatter(element.output),
        output_field_list=tuple(
            [
                Command.OutputInfo(structure_id=id, output_fields=fields)
                for id, fields in output_fields(served, element.output, set())
            ]
        ),
    )


def formatter(output: Expression) -> Command.FormatterType | None:
    """How a result is shown: several structures as a table, nothing not at all."""
    if output[0] == "void":
        return None
    if output[0] not in GENERIC:
        return Command.FormatterType.SIMPLE
    while output[0] in ("optional", "list", "set"):
        output = output[1]
    shows_rows = output[0] in ("structure", "enumeration")
    return Command.FormatterType.TABLE if shows_rows else Command.FormatterType.SIMPLE


class Option(msgspec.Struct, frozen=True):
    """An option before it has its name: the names of the fields on the way to it, and what it takes."""

    path: tuple[str, ...]
    type: str
    generic: Generic


def options_of(
    served: Served,
    fields: Iterable[Field],
    path: tuple[str, ...],
    within: tuple[str, ...],
    is_optional: bool,
) -> Iterator[Option]:
    """An option for each field that is no structure, also of the structures in fields."""
    for name, expression in fields:
        yield from option_of(served, expression, (*path, name), within, is_optional)


def option_of(
    served: Served, expression: Expression, path: tuple[str, ...], within: tuple[str, ...], is_optional: bool
) -> Iterator[Option]:
    """The options of one field. ``within`` are the structures around it, which are not begun again."""
    kind = expression[0]
    single = Generic.OPTIONAL if is_optional else Generic.NONE
    if kind == "optional":
        yield from option_of(served, expression[1], path, within, True)
    elif kind == "map":
        yield Option(path, "complex", single)
    elif kind in ("list", "set"):
        yield Option(path, *listed(expression[1], is_optional))
    elif kind == "enumeration":
        yield Option(path, expression[1], single)
    elif kind == "structure":
        if expression[1] not in within:
            fields = served.structure(expression[1]).fields
            yield from options_of(served, fields, path, (*within, expression[1]), is_optional)
    elif kind == "dynamic" and len(expression) > 1:
        if expression[1] not in within:
            fields = served.structure(expression[1]).fields
            yield from options_of(served, fields, path, (*within, expression[1]), is_optional)
            yield Option(path, "complex-hasfieldsof", Generic.OPTIONAL)
    else:
        yield Option(path, option_type(kind), single)


def listed(element: Expression, is_optional: bool) -> tuple[str, Generic]:
    """What an option takes that is a list of these."""
    inner = element
    while inner[0] in ("optional", "list", "set"):
        inner = inner[1]
    is_plain = inner[0] in BUILTIN or inner[0] == "enumeration"
    type = "complex" if not is_plain else inner[1] if inner[0] == "enumeration" else option_type(inner[0])
    if is_optional and is_plain:
        return type, Generic.OPTIONAL_LIST
    if element[0] == "optional":
        return type, Generic.LIST_OPTIONAL
    if element[0] == "structure":
        return type, Generic.OPTIONAL if is_optional else Generic.NONE
    return type, Generic.LIST


def option_type(kind: str) -> str:
    """dcli's name for what an option takes."""
    return "dynamicstructure" if kind == "dynamic" else kind


def renamed(options: Iterable[Option]) -> Iterator[Command.OptionInfo]:
    """The options with their names: without the parameter where they are of a structure, numbered where they would be
    the same."""
    taken: set[str] = set()
    for option in options:
        words = option.path[1:] if len(option.path) > 1 else option.path
        plain = "-".join(words).replace("_", "-").lower()
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name)
        yield Command.OptionInfo(
            long_option=name,
            field_name=".".join(option.path),
            description="",
            type=option.type,
            generic=option.generic,
        )


def output_fields(
    served: Served, expression: Expression, seen: set[str]
) -> Iterator[tuple[ids.VapiStructureId, tuple[Command.OutputFieldInfo, ...]]]:
    """The structures in a result with their fields, each once."""
    kind = expression[0]
    if kind in GENERIC:
        yield from output_fields(served, expression[-1], seen)
        return
    structures = expression[1:2] if kind == "structure" or (kind == "dynamic" and len(expression) > 1) else []
    for id in structures:
        if id in seen:
            return
        seen.add(id)
        fields = served.structure(id).fields
        yield ids.VapiStructureId(id), tuple([shown(name) for name, _ in fields])
        for _, inner in fields:
            yield from output_fields(served, inner, seen)


def shown(name: str) -> Command.OutputFieldInfo:
    """``memory_size_MiB`` is shown as ``MemorySizeMib``."""
    words = "".join([word.capitalize() or "_" for word in name.split("_")])
    return Command.OutputFieldInfo(field_name=name, display_name=words)
