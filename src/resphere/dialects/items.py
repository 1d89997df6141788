"""The dialect of items of bulk operations, and of what schedules run: an operation's id, and its input as plain values.

It is spoken inside the server alone. An item goes through the same steps as a request; what it is refused with and what
it results in is written as ``/api`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resphere.auth.credentials import Credentials
from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import VapiError
from resphere.contract.lookup import operation_at
from resphere.contract.model import AnyOperation, ByteStream, Secret, Struct
from resphere.contract.secrecy import secret_parameters
from resphere.contract.unions import check_unions
from resphere.dialects.base import Outcome, ReadBody, Reply, Request, Resolved
from resphere.dialects.http import JSON, error_body
from resphere.dialects.jsonrpc import target_names
from resphere.dialects.spellings import RESPELLING
from resphere.queries.lists import listing_of
from resphere.wire.json_values import encoded
from resphere.wire.plain_values import document
from resphere.wire.validation import anywhere, described

OPTION = "$"
"""What the names of the options of a list begin with, which stand beside its parameters; none of those does."""


class ItemDialect(msgspec.Struct, frozen=True, gc=False):
    """One item: see :class:`resphere.dialects.base.Dialect`, which this is."""

    operation: AnyOperation
    input: Mapping[str, Any]
    credentials: Credentials
    name: str = "bulk"

    def resolve(self, request: Request, read_body: ReadBody) -> Outcome:
        """The operation that the item says, on the target in its input."""
        given = ((name, self.input.get(name)) for name in target_names(self.operation))
        parameters = {name: value for name, value in given if isinstance(value, str)}
        _, options = divided_input(self.operation, self.input)
        given_options = {name: [str(value)] for name, value in options.items()}
        return Resolved(self.operation, self.credentials, parameters, options=given_options)

    def options(self, request: Request) -> Reply:
        """Nobody asks an item for that."""
        return Reply(204)

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """The input.

        :raises InvalidArgument: names the field.
        """
        return read_input(self.operation, divided_input(self.operation, self.input)[0], "input")

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """The bare value; nothing for void."""
        if self.operation.output is None:
            return Reply(204)
        return Reply(200, encoded(result, self.operation.output), JSON)

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """Nothing in a reply is particular to a request."""
        return reply

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """``{"error_type": ..., "messages": [...]}`` with the error's status."""
        return Reply(error.status or error.api_status, document(error_body(error)), JSON)


def divided_input(operation: AnyOperation, input: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """An item's input without the options of a list, and these."""
    options = {name: value for name, value in input.items() if name.startswith(OPTION)}
    if not options or listing_of(operation) is None:
        return input, {}
    return {name: value for name, value in input.items() if name not in options}, options


class ItemInputs(msgspec.Struct, frozen=True):
    """The operations that items may name, and their inputs: see :class:`resphere.bulk.items.Operations`, which this
    is."""

    catalogue: Catalogue

    def find(self, id: str) -> AnyOperation | None:
        """The operation of that id, ``None`` where there is none."""
        service, _, name = id.rpartition(".")
        place = self.catalogue.place_of(service, name)
        return None if place is None else operation_at(place)

    def read(self, operation: AnyOperation, input: Mapping[str, Any], where: str) -> Struct:
        """The input as the operation gets it.

        :raises InvalidArgument: names the field; ``where`` is what the input is called.
        """
        return read_input(operation, input, where)

    def tells_secrets(self, operation: AnyOperation) -> bool:
        """Whether its result has secrets in it."""
        return anywhere(operation.output, lambda expected: expected is Secret)

    def target(self, operation: AnyOperation, input: Mapping[str, Any]) -> str | None:
        """What the operation is about, where that is no secret."""
        name = next(iter(target_names(operation)), None)
        if name is None or name in secret_parameters(operation):
            return None
        value = input.get(name)
        return value if isinstance(value, str) else None


def read_input(operation: AnyOperation, input: Mapping[str, Any], where: str) -> Struct:
    """The operation's input of plain values, by the names of its parameters.

    :raises InvalidArgument: names the field; ``where`` is what the input is called.
    """
    respell = RESPELLING.of(operation.input)
    plain = input if respell is None else respell(input, where)
    try:
        value: Struct = msgspec.convert(plain, operation.input, str_keys=True)
    except msgspec.ValidationError as error:
        raise described(error, where, operation.input) from None
    check_unions(value, where)
    return value
