"""``client.vcenter.vm.power.start(vm)``: the operations by the names of their services, found when they are asked for.

A service's id without ``com.vmware.``, in small letters, is the way to it: ``com.vmware.vcenter.VM`` is ``vcenter.vm``,
beside ``com.vmware.vcenter.vm.power``, and ours are below ``resphere``. What is there, with types of parameters and
results, stands for type checkers and editors in ``generated/``, which ``make docs`` writes.
"""

from __future__ import annotations

import importlib
import inspect
import keyword
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, Protocol

import msgspec

from resphere.client.errors import BadInput
from resphere.contract.model import AnyOperation, ByteStream
from resphere.contract.places import generated_operation
from resphere.nearest import meant

OWN = "resphere"


class Node(msgspec.Struct, frozen=True):
    """Services that begin alike: those below, and the operations of the one that ends here."""

    children: dict[str, Node]
    operations: dict[str, Callable[[], AnyOperation]]


class Caller(Protocol):
    """Either client."""

    def call(self, operation: Any, input: Any = None, /, **values: Any) -> Any: ...

    def stream(self, operation: Any, input: Any = None, /, **values: Any) -> Any: ...


def new_node() -> Node:
    """A node without anything below it."""
    return Node({}, {})


def way_to(service: str) -> list[str]:
    """The names that lead to a service."""
    return [python_name(part) for part in service.removeprefix("com.vmware.").lower().split(".")]


def python_name(name: str) -> str:
    """A name as Python's: ``clone$task`` is ``clone_task``, ``global`` is ``global_``."""
    plain = name.replace("$", "_").replace("-", "_")
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def put(root: Node, service: str, name: str, found: Callable[[], AnyOperation]) -> None:
    """Add an operation."""
    node = root
    for part in way_to(service):
        node = node.children.setdefault(part, new_node())
    node.operations[python_name(name)] = found


def itself(operation: AnyOperation) -> AnyOperation:
    """What is there already."""
    return operation


@cache
def generated_services() -> Node:
    """vCenter's services."""
    index = importlib.import_module("resphere.contract.generated.index")
    root = new_node()
    for service_and_name, place in index.OPERATIONS.items():
        service, _, name = service_and_name.partition(" ")
        put(root, service, name, partial(generated_operation, place))
    return root


@cache
def own_services() -> Node:
    """Ours, which take longer to import, and are not asked for of a vCenter."""
    extensions = importlib.import_module("resphere.contract.extensions")
    root = new_node()
    for operation in extensions.OPERATIONS.values():
        put(root, operation.service, operation.name, partial(itself, operation))
    return root


def all_services() -> Node:
    """vCenter's services and ours."""
    return Node({**generated_services().children, **own_services().children}, {})


# --- calls -----------------------------------------------------------------------------------------------------------


@cache
def parameters_of(operation: AnyOperation) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The parameters of an operation in the order in which they may be given without names: those that must be given
    come first."""
    return tuple(sorted(msgspec.structs.fields(operation.input), key=lambda field: not field.required))


def bound(operation: AnyOperation, given: tuple[Any, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a call by their names.

    :raises BadInput: there are more than the operation has, or one is given twice.
    """
    names = [field.name for field in parameters_of(operation)]
    if len(given) > len(names):
        raise BadInput(f"{operation.id} takes {len(names)} parameters, and {len(given)} are given")
    twice = [name for name in names[: len(given)] if name in values]
    if twice:
        raise BadInput(f"{operation.id}: {twice[0]} is given twice")
    return {**dict(zip(names, given, strict=False)), **values}


class Method:
    """One operation as a function of a client."""

    def __init__(self, caller: Caller, found: Callable[[], AnyOperation]) -> None:
        self._caller = caller
        self._found = found

    @property
    def operation(self) -> AnyOperation:
        """The operation of the contract."""
        return self._found()

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.Signature(
            [
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=inspect.Parameter.empty if field.required else field.default,
                    annotation=field.type,
                )
                for field in parameters_of(self.operation)
            ],
            return_annotation=self.operation.output,
        )

    def __call__(self, *given: Any, **values: Any) -> Any:
        operation = self.operation
        call = self._caller.stream if operation.output is ByteStream else self._caller.call
        return call(operation, bound(operation, given, values))

    def __repr__(self) -> str:
        return f"<{self.operation.id}{self.__signature__}>"


class Service:
    """The operations of a service, and the services below it."""

    def __init__(self, caller: Caller, node: Node, way: str) -> None:
        self._caller = caller
        self._node = node
        self._way = way

    def __getattr__(self, name: str) -> Any:
        return found_in(self._node, self._caller, self._way, name)

    def __dir__(self) -> Iterator[str]:
        yield from self._node.operations
        yield from self._node.children

    def __repr__(self) -> str:
        return f"<service {self._way}>"


def service_of(caller: Caller, name: str) -> Any:
    """``client.vcenter`` and its like.

    :raises AttributeError: no service begins so.
    """
    if name.startswith("_"):
        raise AttributeError(name)
    return found_in(own_services() if name == OWN else generated_services(), caller, "", name)


def found_in(node: Node, caller: Caller, way: str, name: str) -> Any:
    """The operation or service of that name.

    :raises AttributeError: there is none.
    """
    if name in node.operations:
        return Method(caller, node.operations[name])
    further = f"{way}.{name}" if way else name
    if name in node.children:
        return Service(caller, node.children[name], further)
    if name.startswith("_"):
        raise AttributeError(name)
    hint = meant(name, [*node.operations, *node.children])
    raise AttributeError(f"there is no operation or service {further}{hint}")
