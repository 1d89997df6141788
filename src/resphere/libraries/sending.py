"""Files of content libraries that somebody fetches, in download sessions."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from resphere.contract.model import ByteStream
from resphere.inventory.content.items import LibraryFile
from resphere.inventory.content.sessions import DownloadSession, EndpointType, download_token
from resphere.inventory.token_digests import token_digest
from resphere.libraries.files import LibraryFiles, has_item
from resphere.libraries.refusals import no_address
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

TELLING = timedelta(seconds=2)
"""How often it is noted that something is fetched."""


class Sending:
    """Gives out what is fetched from addresses that sessions have given."""

    def __init__(self, inventory: Replica, files: LibraryFiles) -> None:
        self._inventory = inventory
        self._files = files

    def source(self, token: str) -> tuple[DownloadSession, LibraryFile]:
        """The file that is fetched from the address with that token.

        :raises NotFound: there is no such address.
        """
        for session in self._inventory.by(DownloadSession, "address", token_digest(token)).values():
            for name, endpoint in session.prepared.items():
                file = session.file(name)
                good = hmac.compare_digest(download_token(session, name), token)
                good = good and not self._files.is_over(session) and has_item(self._inventory, session)
                if good and file is not None and endpoint is EndpointType.HTTPS:
                    return session, file
        raise no_address()

    async def open(self, session: DownloadSession, file: LibraryFile, first_byte: int, size_bytes: int) -> ByteStream:
        """So many bytes of a file, from that one on."""
        await self._prolong(session.id)
        return Outgoing(self, session.id, await self._files.open_content(file, first_byte, size_bytes))

    async def prolong(self, session: str, since: datetime) -> datetime:
        """Have a session go on in which something was fetched, if it was not noted for long; returns when it was."""
        if self._files.now() - since < TELLING:
            return since
        await self._prolong(session)
        return self._files.now()

    async def _prolong(self, id: str) -> None:
        def plan(edit: Edit) -> None:
            session = edit.get(DownloadSession, id)
            if session is not None and session.is_active:
                edit.put(msgspec.structs.replace(session, expires=self._files.until()))

        await self._inventory.change(plan)

    def now(self) -> datetime:
        """The present moment."""
        return self._files.now()


class Outgoing(msgspec.Struct, frozen=True):
    """A stream to somebody who fetches a file: while it goes on, so does the session."""

    sending: Sending
    session: str
    content: ByteStream

    @property
    def size_bytes(self) -> int | None:
        return self.content.size_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces."""
        since = self.sending.now()
        async for piece in self.content:
            since = await self.sending.prolong(self.session, since)
            yield piece

    async def close(self) -> None:
        await self.content.close()
