"""What the services of VM templates in content libraries have in common."""

from __future__ import annotations

from collections.abc import Callable

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, ResourceInaccessible, message
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.templates import CheckOut, ItemChange, change_id, check_out_claim
from resphere.inventory.effects import DeleteVm, Intent
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.rules.machines.deletion import may_delete, require_accessible
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.tasks.change import Decision

TYPE = "vm-template"
"""The type of items whose content is a machine."""


def require_template(among: Lookup, id: str) -> LibraryItem:
    """The item of that id, whose content is a template.

    :raises NotFound: there is no such item.
    :raises InvalidArgument: its content are files; words as a vCenter 7.0 wrote them.
    """
    item = require(among, LibraryItem, id)
    if item.template is None:
        raise InvalidArgument(
            message(
                "resphere.content.no_template",
                "The library item '{0}' (ID: {1}) has type '{2}', but needs to be of type '{3}'.",
                item.name,
                id,
                item.type,
                TYPE,
            )
        )
    return item


def require_own(item: LibraryItem, library: Library) -> None:
    """Refuse to change a template that its library gets from elsewhere.

    :raises InvalidArgument: it does.
    """
    if library.subscription is not None:
        raise InvalidArgument(
            message(
                "resphere.content.subscribed_template",
                "The library item {0} is of the subscribed library {1}: its template is changed where it is published.",
                item.name,
                library.name,
            )
        )


def machine_of(call: Call, item: LibraryItem) -> VirtualMachine:
    """The machine that is the item's content, which the caller must see.

    :raises NotFound: there is none any more.
    :raises Unauthorized: the caller does not see it.
    """
    return call.require(VirtualMachine, item.template or "")


def require_files(item: LibraryItem) -> None:
    """Refuse an item whose content is a template where that can only be of files.

    :raises InvalidArgument: it is one.
    """
    if item.template is not None:
        raise InvalidArgument(
            message(
                "resphere.content.is_template",
                "The library item {0} is a VM template: it cannot be copied, nor get another type.",
                item.name,
            )
        )


def require_not_checked_out(call: Call, edit: Edit, item: LibraryItem) -> None:
    """Refuse what must not happen while a machine is checked out of the item, or about to be.

    :raises NotAllowedInCurrentState: one is.
    """
    if is_checked_out(call, item):
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.checked_out", "A virtual machine is checked out of the library item {0}.", item.name
            )
        )
    # One that is checked out meanwhile is seen.
    edit.vacant(check_out_claim(item.id))


def is_checked_out(call: Call, item: LibraryItem) -> bool:
    """Whether a machine is checked out of the item, or about to be."""
    claim = check_out_claim(item.id)
    return bool(call.unfiltered.by(CheckOut, "item", item.id) or call.unfiltered.by(Intent, "claim", claim))


def note_change(call: Call, edit: Edit, item: LibraryItem, words: str | None = None) -> None:
    """Note by whom and when the present content of the item was made."""
    edit.put(
        ItemChange(
            id=change_id(item.id, item.content_version),
            item=item.id,
            version=item.content_version,
            time=call.environment.now(),
            user=call.session.user,
            message=words,
        )
    )


async def delete_templates(call: Call, item: LibraryItem, check: Callable[[Edit], object]) -> None:
    """Delete the machines that an item has as its content, and the item with the last of them.

    :raises NotAllowedInCurrentState: they cannot be deleted now.
    """

    def unchanged(edit: Edit) -> None:
        check(edit)
        current = require(edit, LibraryItem, item.id)
        if current.template != item.template:
            raise being_changed(item)

    for machine in (item.previous.vm if item.previous is not None else None, item.template):
        if machine is not None and call.unfiltered.get(VirtualMachine, machine) is not None:
            await delete_machine(call, machine, unchanged)


async def delete_machine(call: Call, machine: str, check: Callable[[Edit], object]) -> None:
    """Delete a machine that a library item has, where ``check`` allows it.

    :raises NotAllowedInCurrentState: it cannot be deleted now.
    """

    def guard(current: VirtualMachine) -> None:
        may_delete(current)
        try:
            require_accessible(call.unfiltered, current)
        except ResourceInaccessible as error:
            raise NotAllowedInCurrentState(*error.messages) from error

    def decide(edit: Edit, current: VirtualMachine) -> Decision[None]:
        check(edit)
        return Decision(DeleteVm(vm=current), None)

    target = call.referred(VirtualMachine, machine)
    await call.run("VirtualMachine.destroy", target, decide, guard)


def being_changed(item: LibraryItem) -> NotAllowedInCurrentState:
    """The refusal where somebody else was faster."""
    return NotAllowedInCurrentState(
        message("resphere.content.item_changed", "The library item {0} is being changed.", item.name)
    )


def wrong_machine(item: LibraryItem, vm: VirtualMachine) -> InvalidArgument:
    """The refusal of a machine that is not checked out of the item."""
    return InvalidArgument(
        message(
            "resphere.content.not_checked_out",
            "The virtual machine {0} is not checked out of the library item {1}.",
            named(vm),
            item.name,
        )
    )
