"""What may be an item, and which inputs are none: found out before anything is begun, and told with the place."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from resphere.access.defaults import LOGINS, OWN_SESSION, PUBLIC, READS
from resphere.bulk.items import Operations
from resphere.contract.errors import InvalidArgument, message
from resphere.contract.lookup import operation_ids
from resphere.contract.model import AnyOperation, Struct
from resphere.limits.classes import OperationClass, class_of, fits
from resphere.nearest import meant
from resphere.queries.lists import listing_of
from resphere.queries.options import understood

LONGEST_ID = 200
LIST_OPTIONS = ("$filter", "$orderby", "$top")
"""Those that say which objects, and in which order."""
NOT_WITHIN = ("resphere.bulk", "resphere.schedules")
"""Services that begin other work of this kind: that would grow without end."""


class Acceptance(msgspec.Struct, frozen=True):
    """``implemented`` says whether this server does the operation."""

    operations: Operations
    implemented: Callable[[str], bool]

    def operation(self, id: str, where: str) -> AnyOperation:
        """The operation of that id, if it may be an item's.

        :raises InvalidArgument: it may not; ``where`` is the place of the item.
        """
        operation = self.operations.find(id)
        if operation is None:
            given = id[:LONGEST_ID]
            raise refused(where, f"there is no operation {given!r}{meant(given, operation_ids()) or '.'}")
        why = self._why_not(operation)
        if why is not None:
            raise refused(where, f"{operation.id} {why}")
        return operation

    def listing(self, id: str, field: str | None, parameter: str, where: str) -> tuple[AnyOperation, str | None]:
        """The list operation of that id, and the member of what it lists that is taken: ``None``, where it lists
        values.

        :raises InvalidArgument: it is none, or what it lists has no such member.
        """
        operation = self.operation(id, f"{where}.operation")
        output = operation.output
        origin = typing.get_origin(output)
        if not fits(operation, READS) or origin not in (tuple, frozenset, dict):
            raise refused(f"{where}.operation", f"{operation.id} does not list anything.")
        listed = typing.get_args(output)[0]
        if not (isinstance(listed, type) and issubclass(listed, Struct)):
            if field is not None:
                raise refused(f"{where}.field", f"what {operation.id} lists has no members; leave it out.")
            return operation, None
        names = [each.encode_name for each in msgspec.structs.fields(listed)]
        taken = parameter if field is None else field
        if taken not in names:
            raise refused(
                f"{where}.field", f"what {operation.id} lists has no member {taken!r}, but {', '.join(names)}."
            )
        return operation, taken

    def list_input(self, operation: AnyOperation, input: Mapping[str, Any], where: str) -> None:
        """Refuse what is no input of a list operation, with the options of lists beside its parameters. Long ones take
        some time.

        :raises InvalidArgument: names the field, or the option and the character in it.
        """
        options = {name: value for name, value in input.items() if name.startswith("$")}
        if options and listing_of(operation) is None:
            raise refused(where, f"{operation.id} takes no options of lists.")
        for name, value in options.items():
            if name not in LIST_OPTIONS:
                here = listed(LIST_OPTIONS)
                raise refused(where, f"of the options of lists there are {here} here, and not {name[:LONGEST_ID]!r}.")
            if not isinstance(value, str):
                raise refused(f"{where}.{name}", "must be text.")
        parameters = {name: value for name, value in input.items() if name not in options}
        self.operations.read(operation, parameters, where)
        if options:
            understood(operation, {name: [value] for name, value in options.items()})

    def _why_not(self, operation: AnyOperation) -> str | None:
        """Why the operation can be no item's."""
        if operation.service.startswith(NOT_WITHIN):
            return "cannot be part of a bulk operation: it begins others."
        if operation.id in LOGINS or operation.id in OWN_SESSION or operation.id in PUBLIC:
            return "is about the caller's own session, or answers anybody, and cannot be part of a bulk operation."
        if operation.streams or operation.media_type is not None:
            return "takes or gives files, and cannot be part of a bulk operation."
        if class_of(operation) is OperationClass.LONG_POLL:
            return "waits until something happens, and cannot be part of a bulk operation."
        if self.operations.tells_secrets(operation):
            return "answers with a secret, which must not be kept, and cannot be part of a bulk operation."
        if not self.implemented(operation.id):
            return "is part of the API, but this server does not implement it."
        return None


def require_parameter(operation: AnyOperation, name: str, shared: Mapping[str, Any], where: str) -> None:
    """Refuse a parameter that the operation has not, or that all items have in common.

    :raises InvalidArgument: it is one.
    """
    names = [each.encode_name for each in msgspec.structs.fields(operation.input)]
    if name not in names:
        raise refused(where, f"{operation.id} has no parameter {name!r}, but {listed(names)}.")
    if name in shared:
        raise refused(where, f"{name} is different for each item, and cannot be part of input as well.")


def listed(names: Iterable[str]) -> str:
    """The names in words."""
    return ", ".join(names) or "none"


def refused(where: str, why: str) -> InvalidArgument:
    """The refusal of what stands at that place."""
    return InvalidArgument(message("resphere.bulk.input", "{0}: {1}", where, why))
