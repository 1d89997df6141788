"""Which operations have behaviour: a handler attaches itself to an operation with :func:`implements`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, overload

import msgspec

from resphere.contract.lookup import operation_at, place_of
from resphere.contract.model import AnyOperation, Handler, Operation, Parted
from resphere.services.call import Call

P = ParamSpec("P")
R = TypeVar("R")


class Implementation(msgspec.Struct, frozen=True):
    """An operation with its handler.

    ``kept``: the answer depends on nothing but the inventory's revision, the input and what the caller may see, so
    that it may be kept and revalidated by ETag. ``result``: what the tasks of the operation result in.
    """

    operation: AnyOperation
    handler: Handler
    kept: bool
    result: Any = None


_implementations: dict[str, Implementation] = {}


HandlerOf: TypeAlias = Callable[Concatenate[Call, P], Coroutine[Any, Any, R]]


class Attach(Protocol[P, R]):
    """Takes a handler and gives it back. A list may come in parts."""

    @overload
    def __call__(self, handler: HandlerOf[P, R], /) -> HandlerOf[P, R]: ...

    @overload
    def __call__(self, handler: HandlerOf[P, R | Parted[R]], /) -> HandlerOf[P, R | Parted[R]]: ...


def implements(operation: Operation[P, R], *, kept: bool = False, result: Any = None) -> Attach[P, R]:
    """Attach the decorated coroutine function to ``operation``.

    It is called with the :class:`Call` and the operation's parameters in the contract's order, validated, and returns
    the operation's result or raises a :class:`~resphere.contract.errors.VapiError`. Of a ``$task`` operation that has
    no sister without ``$task``, ``result`` is the type of what the task results in.
    """

    def attach(handler: Handler, /) -> Any:
        if operation.id in _implementations:
            raise ValueError(f"{operation.id} is implemented twice")
        _implementations[operation.id] = Implementation(operation, handler, kept, result)
        return handler

    return attach


def load(package: ModuleType) -> dict[str, Implementation]:
    """Import every module below ``package`` and return what they implement: operation id -> implementation."""
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    return implementations()


def result_type(service: str, name: str) -> Any:
    """The type of what tasks of an operation result in; ``Any`` where nothing is known of it."""
    implementation = _implementations.get(f"{service}.{name}")
    if implementation is not None and implementation.result is not None:
        return implementation.result
    place = place_of(service, name.removesuffix("$task"))
    return Any if place is None else operation_at(place).output


def implementations() -> dict[str, Implementation]:
    """What has been implemented by the modules imported so far: operation id -> implementation."""
    return dict(_implementations)
