"""Takes states of the inventory, and puts it back as one of them has it.

A state lies as a file beside the contents of libraries, written once: workers that restore it read it from there, and
keep it in memory as long as it is among the last ones. What differs between it and the inventory is one transaction.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from resphere.access.permissions import Permission
from resphere.auth.administration import require_administered
from resphere.contract.errors import (
    AlreadyExists,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    ServiceUnavailable,
    message,
)
from resphere.inventory.appliance.settings import ApplianceSetting
from resphere.inventory.contents import CONTENT
from resphere.inventory.effects import Intent
from resphere.inventory.guest import GuestContent
from resphere.inventory.model import UnregisteredVm
from resphere.inventory.states import SavedState
from resphere.libraries.files import LibraryFiles
from resphere.libraries.naming import NAMING
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import BytesSealing, Sealing
from resphere.states.extent import CLASSES, belongs
from resphere.states.record import Documents, Sealer, Unreadable, read
from resphere.store.base import ContentMissing, StoreError
from resphere.tasks.outcomes import ended_by_state, failed
from resphere.tasks.record import Task
from resphere.turns import in_turns
from resphere.uuids import new_uuid

MOST_STATES = 100
IN_MEMORY = 4
"""So many states a worker has at hand: of what is as it was, they have the inventory's own objects."""
NAMED_IN_STATES = tuple(table for table in NAMING if table.cls in CLASSES)


class Restored(msgspec.Struct, frozen=True):
    """How many documents were written and deleted, and which tasks were ended."""

    written: int
    deleted: int
    tasks: tuple[str, ...]


class States:
    """The states as a worker has them; ``form`` is the number of the form that its documents have."""

    def __init__(
        self,
        inventory: Replica,
        files: LibraryFiles,
        sealing: Sealing,
        form: int,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._inventory = inventory
        self._files = files
        self._sealing = BytesSealing(sealing)
        self._form = form
        self._now = now
        self._random_bytes = random_bytes
        self._at_hand: OrderedDict[str, Documents] = OrderedDict()

    async def take(self, name: str, description: str, *, replace: bool) -> None:
        """Keep the inventory as it is now: one moment, however long the writing takes.

        :raises AlreadyExists: there is one of that name, which is not to be replaced.
        :raises ServiceUnavailable: there are too many.
        :raises UnableToAllocateResource: there is no room.
        """
        self._require_room(self._inventory.get(SavedState, name), name, replace=replace)
        documents = {cls: dict(self._inventory.all(cls)) for cls in CLASSES}
        settings = documents[ApplianceSetting]
        documents[ApplianceSetting] = {id: each for id, each in settings.items() if belongs(each)}
        contents = await named_contents(documents)
        guest_files = frozenset(each.file for each in documents[GuestContent].values() if each.file is not None)
        key = new_uuid(self._random_bytes)
        sealer = Sealer(self._sealing, key)
        file = await self._files.keep("state", sealer.written(documents))
        state = SavedState(
            id=name,
            description=description,
            created_time=self._now(),
            form=self._form,
            key=key,
            pieces=sealer.pieces,
            file=file,
            contents=tuple(sorted(contents)),
            guest_files=tuple(sorted(guest_files)),
            counts={cls.kind: len(each) for cls, each in documents.items() if each},
        )

        def plan(edit: Edit) -> None:
            before = edit.get(SavedState, name)
            self._require_room(before, name, replace=replace)
            for part in self._naming(state):
                edit.rely_on(part)
            edit.put(state)

        try:
            await self._inventory.change(plan)
        except BaseException:
            await self._files.give_up((file,))
            raise
        self._remember(state, documents)

    def _naming(self, state: SavedState) -> Iterable[Any]:
        """A document for each content that the state names: that still names it.

        :raises NotAllowedInCurrentState: one was deleted meanwhile.
        """
        for content in state.contents:
            found = (each for table in NAMING for each in self._inventory.by(table.cls, CONTENT, content).values())
            yield next(found, None) or _gone()
        for file in state.guest_files:
            yield next(iter(self._inventory.by(GuestContent, "file", file).values()), None) or _gone()

    def _require_room(self, before: SavedState | None, name: str, *, replace: bool) -> None:
        if before is not None and not replace:
            raise AlreadyExists(message("resphere.states.exists", "There is a state {0} already.", name))
        if before is None and self._inventory.count(SavedState) >= MOST_STATES:
            raise ServiceUnavailable(message("resphere.states.too_many", "There are {0} states.", MOST_STATES))

    def all(self) -> list[SavedState]:
        """All of them, the oldest first."""
        return sorted(self._inventory.all(SavedState).values(), key=lambda each: (each.created_time, each.id))

    def require(self, name: str) -> SavedState:
        """The state.

        :raises NotFound: there is none.
        """
        found = self._inventory.get(SavedState, name)
        if found is None:
            raise NotFound(message("resphere.states.not_found", "The state {0} does not exist.", name))
        return found

    async def delete(self, name: str) -> None:
        """Forget the state, and what only it has.

        :raises NotFound: there is none.
        """

        def plan(edit: Edit) -> None:
            edit.delete(SavedState, self.require(name).id)

        await self._inventory.change(plan)

    async def prepared(self, name: str) -> SavedState:
        """The state, of which the documents are at hand.

        :raises NotFound: there is none.
        :raises NotAllowedInCurrentState: it cannot be read any more.
        """
        state = self.require(name)
        if state.key in self._at_hand:
            return state
        if state.form != self._form:
            raise _unreadable(name, "another release has written it")
        try:
            content = await self._files.read(state.file)
            documents = await read(self._sealing, state.key, state.pieces, content)
        except ContentMissing:
            raise self._missing(name) from None
        except (Unreadable, StoreError) as error:
            raise _unreadable(name, "what is kept of it is damaged, or of another key of secrets") from error
        self._remember(state, documents)
        return state

    def _missing(self, name: str) -> NotFound | NotAllowedInCurrentState:
        self.require(name)
        return _unreadable(name, "its file is not there")

    def restore(self, edit: Edit, state: SavedState, *, end_work: bool) -> Restored:
        """Have ``edit`` make the inventory as the state has it, which is :meth:`prepared`: what is different, whole.

        :raises NotFound: the state was deleted or replaced meanwhile.
        :raises ResourceBusy: work is under way that is not to be ended, or nobody would administer any more.
        """
        name = state.id
        current = self.require(name)
        if current.key != state.key:
            raise NotFound(message("resphere.states.replaced", "The state {0} was replaced meanwhile.", name))
        tasks = self._end_work(edit, end_work=end_work)
        documents = self._at_hand[state.key]
        self._at_hand.move_to_end(state.key)
        edit.restores(CLASSES)
        written = deleted = 0
        for cls in CLASSES:
            present, then = self._inventory.all(cls), documents[cls]
            for id in [id for id in present.keys() - then.keys() if belongs(present[id])]:
                edit.delete(cls, id)
                deleted += 1
            now = present.get
            for id in [id for id, document in then.items() if now(id) is not document]:
                if now(id) == then[id]:
                    then[id] = present[id]
                else:
                    edit.put(then[id])
                    written += 1
        for files in self._inventory.all(UnregisteredVm).values():
            if edit.get(UnregisteredVm, files.id) is files:
                # What was of its machine refers to it by that, which references do not look up.
                edit.rely_on(files)
        edit.put(
            msgspec.structs.replace(
                current,
                restorations=current.restorations + 1,
                restored_time=self._now(),
                written=written,
                deleted=deleted,
            )
        )
        if any(type(before or after) is Permission for before, after in edit.changes()):
            require_administered(self._inventory, edit)
        return Restored(written, deleted, tasks)

    def _end_work(self, edit: Edit, *, end_work: bool) -> tuple[str, ...]:
        under_way = tuple(self._inventory.by(Task, "finished", "no").values())
        for task in under_way:
            if task.resumed or not end_work:
                raise ResourceBusy(
                    message(
                        "resphere.states.busy",
                        "{0} tasks are under way, one of them is {1} ({2}): wait for their end, or cancel them.",
                        len(under_way),
                        task.id,
                        task.description,
                    )
                )
            edit.put(failed(task, ended_by_state(), self._now()))
        for intent in tuple(self._inventory.all(Intent)):
            edit.delete(Intent, intent)
        return tuple(task.id for task in under_way)

    def _remember(self, state: SavedState, documents: Documents) -> None:
        self._at_hand[state.key] = documents
        while len(self._at_hand) > IN_MEMORY:
            self._at_hand.popitem(last=False)


async def named_contents(documents: Mapping[type[Any], Mapping[str, Any]]) -> set[str]:
    """The contents of libraries and disks that the documents name. Others have their turn in between."""
    found: set[str] = set()
    for table in NAMED_IN_STATES:
        names = table.indexes[CONTENT]
        async for some in in_turns(documents[table.cls].values()):
            for document in some:
                found.update(names(document))
    return found


def _gone() -> Any:
    raise ServiceUnavailable(
        message("resphere.states.changed", "Files were deleted while the state was taken. Take it again.")
    )


def _unreadable(name: str, why: str) -> NotAllowedInCurrentState:
    return NotAllowedInCurrentState(
        message("resphere.states.unreadable", "The state {0} cannot be restored: {1}. Take it again.", name, why)
    )
