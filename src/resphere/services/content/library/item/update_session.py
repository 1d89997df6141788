"""``com.vmware.content.library.item.update_session``: sessions in which an item's files change, all at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec

from resphere.access.roles import NO_ACCESS
from resphere.access.view import RootView
from resphere.contract.errors import (
    ConcurrentChange,
    InvalidElementType,
    NotAllowedInCurrentState,
    ResourceBusy,
    VapiError,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import TransferStatus, UpdateSessionModel
from resphere.contract.generated.content_library_item import UpdateSession as Contract
from resphere.contract.generated.content_library_item_updatesession import WarningBehavior
from resphere.contract.mentions import nothing, told
from resphere.contract.model import LocalizableMessage
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.packages import PackageSignature
from resphere.inventory.content.sessions import PushedFile, UpdateSession, UpdateState
from resphere.ovf.certificate import CertificateWarning
from resphere.replica.edit import Edit
from resphere.rules.content_packages import import_failed, merged, signature_of, verification
from resphere.services.call import Call, Environment
from resphere.services.checks import content_sessions
from resphere.services.checks.absent import Absent
from resphere.services.checks.content import (
    call_key,
    made_before,
    require,
    require_changeable,
    require_given,
    require_local,
)
from resphere.services.checks.content_packages import (
    preview_of,
    require_ignored,
    require_verified,
    require_whole,
    warnings_of,
)
from resphere.services.checks.content_sessions import (
    change_session,
    new_secret,
    new_session_id,
    own_sessions,
    require_active,
    require_few,
    require_now,
    require_open_for_changes,
    require_session,
    said_by_client,
)
from resphere.services.checks.vm_templates import note_change
from resphere.services.registry import implements

SessionId = ids.ContentLibraryItemUpdateSessionId


@implements(Contract.create)
async def create(call: Call, client_token: str | None, create_spec: UpdateSessionModel) -> SessionId:
    """Begin a session on an item; the same call once more answers the same.

    :raises InvalidArgument: no item is named, or the token is none.
    :raises InvalidElementType: the item's library gets its items from elsewhere.
    :raises NotFound: there is no such item.
    :raises ResourceBusy: another session on the item is active, its library is in maintenance, or the caller has very
        many sessions.
    """
    key = call_key(call, client_token)
    item_id = require_given("library_item_id", create_spec.library_item_id)
    id, secret = SessionId(new_session_id(call)), new_secret(call)
    files = call.environment.library_files

    def plan(edit: Edit) -> SessionId:
        before = made_before(call.unfiltered, UpdateSession, key)
        if before is not None and not files.is_over(before):
            return before.id
        item = require(edit, LibraryItem, item_id)
        require_open(edit, item)
        for session in call.unfiltered.by(UpdateSession, "item", item.id).values():
            if files.is_over(session):
                edit.delete(UpdateSession, session.id)
            elif session.is_active:
                raise busy(item)
        require_few(call, edit, UpdateSession, ResourceBusy)
        edit.put(
            UpdateSession(
                id=id,
                item=item.id,
                user=call.session.user,
                content_version=item.content_version,
                secret=secret,
                expires=files.until(),
                warning_behavior=one_of_each(create_spec.warning_behavior or ()),
                client_token=key,
            )
        )
        return id

    return await call.settle(plan)


def require_open(edit: Edit, item: LibraryItem) -> None:
    """Refuse to change an item whose library does not allow that.

    :raises InvalidElementType: it gets its items from elsewhere, or the item is a VM template.
    :raises ResourceBusy: it is in maintenance, or has lost its place.
    """
    library = require(edit, Library, item.library)
    edit.rely_on(library)
    require_local(library)
    if item.template is not None:
        raise InvalidElementType(
            message(
                "resphere.content.has_no_files", "The library item {0} is a VM template and has no files.", item.name
            )
        )
    try:
        require_changeable(library)
    except NotAllowedInCurrentState as error:
        raise ResourceBusy(*error.messages) from error


def busy(item: LibraryItem) -> ResourceBusy:
    """The refusal of a second session on an item."""
    return ResourceBusy(
        message("resphere.content.item_busy", "Another update session on the library item {0} is active.", item.name)
    )


@implements(Contract.list)
async def list_sessions(call: Call, library_item_id: SessionId | None) -> tuple[str, ...]:
    """The ids of the caller's own sessions, on an item or on any."""
    return own_sessions(call, UpdateSession, library_item_id)


@implements(Contract.get)
async def get(call: Call, update_session_id: SessionId) -> UpdateSessionModel:
    """One of them."""
    session = require_session(call, UpdateSession, update_session_id)
    item = require(call.inventory, LibraryItem, session.item)
    return UpdateSessionModel(
        id=session.id,
        library_item_id=session.item,
        library_item_content_version=str(session.content_version),
        error_message=session.error,
        client_progress=session.progress,
        state=session.state,
        expiration_time=session.expires,
        preview_info=preview_of(session, item, await warnings_of(call, session)) if session.is_active else None,
        warning_behavior=session.warning_behavior or None,
    )


@implements(Contract.update)
async def update(call: Call, update_session_id: SessionId, update_spec: UpdateSessionModel) -> None:
    """Say which warnings do not matter."""
    given = update_spec.warning_behavior
    behavior = None if given is None else one_of_each(given)

    def changed(session: UpdateSession) -> UpdateSession:
        return session if behavior is None else msgspec.structs.replace(session, warning_behavior=behavior)

    await change_session(call, UpdateSession, update_session_id, "update", changed)


def one_of_each(behaviors: Iterable[WarningBehavior]) -> tuple[WarningBehavior, ...]:
    """What is said last of each type of warning."""
    return tuple({each.type: each for each in behaviors}.values())


@implements(Contract.keep_alive)
async def keep_alive(call: Call, update_session_id: SessionId, client_progress: int | None) -> None:
    """Have the session go on, and say how far the client is: in percent, which only grows.

    :raises InvalidArgument: that is no percentage.
    """
    await content_sessions.keep_alive(call, UpdateSession, update_session_id, client_progress)


@implements(Contract.cancel)
async def cancel(call: Call, update_session_id: SessionId) -> None:
    """End the session, and change nothing."""
    await change_session(
        call,
        UpdateSession,
        update_session_id,
        "cancel",
        lambda session: msgspec.structs.replace(
            session, state=UpdateState.CANCELED, files=(), removed=(), signature=None
        ),
    )


@implements(Contract.fail)
async def fail(call: Call, update_session_id: SessionId, client_error_message: str) -> None:
    """End the session as failed, in the client's own words, and change nothing.

    :raises InvalidArgument: they are too many.
    """
    error = said_by_client(client_error_message)
    await change_session(
        call,
        UpdateSession,
        update_session_id,
        "fail",
        lambda session: msgspec.structs.replace(
            session, state=UpdateState.ERROR, error=error, files=(), removed=(), signature=None
        ),
    )


@implements(Contract.delete)
async def delete(call: Call, update_session_id: SessionId) -> None:
    """Forget a session that has ended.

    :raises NotAllowedInCurrentState: it is active.
    """
    require_session(call, UpdateSession, update_session_id)

    def plan(edit: Edit) -> None:
        session = require_now(call, edit, UpdateSession, update_session_id)
        if session.is_active:
            raise NotAllowedInCurrentState(
                message(
                    "resphere.content.session_active",
                    "A session whose state is {0} cannot be deleted: complete, cancel or fail it first.",
                    session.state,
                )
            )
        edit.delete(UpdateSession, session.id)

    await call.settle(plan)


@implements(Contract.complete)
async def complete(call: Call, update_session_id: SessionId) -> None:
    """Change the item's files as the session says, all at once.

    While files are fetched, that is done once they have come, and this answers before.

    :raises NotAllowedInCurrentState: the session is not active, or a file has not come or is not whole; a package lacks
        a file, or has a warning that nobody has said to ignore; the library is in maintenance, or demands more.
    """
    is_complete = False
    while not is_complete:
        session = require_session(call, UpdateSession, update_session_id)
        warnings = await warnings_of(call, session)
        is_complete = await call.unfiltered.change(
            partial(complete_at_once_or_later, call, update_session_id, signature_of(session), warnings)
        )


def complete_at_once_or_later(
    call: Call, id: SessionId, signature: PackageSignature | None, warnings: tuple[CertificateWarning, ...], edit: Edit
) -> bool:
    """Do so, if nothing is fetched any more, as :func:`put_item`; else note that it is to be done."""
    return complete_later(call, id, edit) or put_item(call, id, signature, warnings, edit)


def complete_later(call: Call, id: SessionId, edit: Edit) -> bool:
    """Note that somebody has asked for that, if files are fetched.

    :raises NotAllowedInCurrentState: the session is not active, or another file has not come; the library is in
        maintenance.
    """
    session = require_now(call, edit, UpdateSession, id)
    require_active(session, "complete")
    require_open_for_changes(session)
    if not any(file.is_coming for file in session.files):
        return False
    for file in session.files:
        if not file.is_coming:
            require_received(file)
    until = call.environment.library_files.until()
    edit.put(msgspec.structs.replace(session, completed_by=call.session.user, expires=until))
    return True


async def finish(environment: Environment, session: UpdateSession) -> None:
    """Complete a session of which somebody has asked that while files were fetched, which have come by now."""
    user = session.completed_by
    if user is None:
        return
    call = Call(environment, Contract.complete, RootView(NO_ACCESS), Absent(user), environment.random_bytes(8).hex())

    def still(edit: Edit) -> UpdateSession | None:
        current = edit.get(UpdateSession, session.id)
        if current is None or not current.is_active or current.completed_by is None:
            return None
        return None if any(file.is_coming for file in current.files) else current

    def put(signature: PackageSignature | None, warnings: tuple[CertificateWarning, ...], edit: Edit) -> bool:
        return still(edit) is None or put_item(call, session.id, signature, warnings, edit)

    def fail(why: LocalizableMessage, edit: Edit) -> None:
        current = still(edit)
        if current is not None:
            until = environment.library_files.until()
            edit.put(msgspec.structs.replace(import_failed(current, why), expires=until))

    try:
        is_complete = False
        while not is_complete:
            current = call.unfiltered.get(UpdateSession, session.id) or session
            warnings = await warnings_of(call, current)
            is_complete = await call.unfiltered.change(partial(put, signature_of(current), warnings))
    except ConcurrentChange:
        raise
    except VapiError as error:
        await call.unfiltered.change(partial(fail, told(error.messages[0], nothing)))


def put_item(
    call: Call, id: SessionId, signature: PackageSignature | None, warnings: tuple[CertificateWarning, ...], edit: Edit
) -> bool:
    """Change the item as the session says, unless the package is signed by somebody else by now than by whom the
    ``warnings`` are.

    :raises NotAllowedInCurrentState: as :func:`complete`.
    """
    session = require_now(call, edit, UpdateSession, id)
    require_active(session, "complete")
    for file in session.files:
        require_received(file)
    item = require(edit, LibraryItem, session.item)
    library = require(edit, Library, item.library)
    edit.rely_on(library)
    require_changeable(library)
    changed = msgspec.structs.replace(
        item,
        files=tuple(merged(item, session)),
        # Which one has that was of a subscribed library before.
        remote=None,
        content_version=item.content_version + 1,
        modified=call.environment.now(),
    )
    if item.is_package and (session.files or session.removed):
        if signature_of(session) != signature:
            return False
        require_whole(item, session)
        require_ignored(session, warnings)
        if library.security_policy is not None:
            require_verified(item, session, warnings)
        changed = msgspec.structs.replace(
            changed,
            verification=verification(item, session, [warning.type for warning in warnings]),
            certificates=() if signature is None else signature.chain,
        )
    edit.put(changed)
    note_change(call, edit, changed)
    done = session.ended(UpdateState.DONE)
    edit.put(msgspec.structs.replace(done, progress=100, expires=call.environment.library_files.until()))
    return True


def require_received(file: PushedFile) -> None:
    """Refuse to complete a session with a file that has not come; id, arguments and words as a vCenter 7.0 wrote them.

    :raises NotAllowedInCurrentState: it has not.
    """
    if not file.has_come:
        status = "WAITING" if file.status is TransferStatus.WAITING_FOR_TRANSFER else str(file.status)
        raise NotAllowedInCurrentState(
            message(
                "com.vmware.vdcs.cls-main.update_session_file_not_received",
                "File {0} has transfer errors or was not fully received (status: {1}).",
                file.name,
                status,
            ),
            *(() if file.error is None else (file.error,)),
        )
