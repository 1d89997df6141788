"""A server that does not answer, answers without end, or talks nonsense: the directory cannot be asked, and soon."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from resphere.auth.ldap.connection import MOST_BYTES, DirectoryUnavailable
from resphere.auth.ldap.settings import Directory, LdapSource
from resphere.auth.ldap.source import MOST_WAITING, Directories

SECONDS = 0.5
BIND_RESPONSE = bytes.fromhex("300c02010161070a010004000400")
SEARCH_ENTRY_BEGUN = bytes.fromhex("3084")  # and four bytes of how long it is
Behaviour = Callable[[socket.socket], None]


def says_nothing(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def drips(connection: socket.socket) -> None:
    """A message that never ends, a byte at a time."""
    connection.recv(4096)
    connection.sendall(SEARCH_ENTRY_BEGUN + b"\x00\x10\x00\x00")
    waiting = threading.Event()
    while True:
        connection.sendall(b"\x00")
        waiting.wait(0.01)


def floods(connection: socket.socket) -> None:
    """A message of a gigabyte."""
    connection.recv(4096)
    connection.sendall(SEARCH_ENTRY_BEGUN + b"\x40\x00\x00\x00")
    while True:
        connection.sendall(bytes(65536))


def talks_nonsense(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"\x30\x05HTTP/1.1 400\r\n\r\n")


def hangs_up(connection: socket.socket) -> None:
    connection.recv(4096)


def says_success_to_all(connection: socket.socket) -> None:
    """As a server that takes everybody, with the number of the first message in each answer."""
    while connection.recv(4096):
        connection.sendall(BIND_RESPONSE)


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """The address of a server that behaves so."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        behaviour(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"ldap://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def source_at(address: str, *, unencrypted: bool = True) -> LdapSource:
    directory = Directory(
        servers=(address,),
        users_base_dn="dc=example,dc=com",
        groups_base_dn="dc=example,dc=com",
        unencrypted=unencrypted,
        bind_name="reader",
        bind_password="reads",
    )
    return LdapSource(id="corp", domain="corp.example.com", directory=directory)


@pytest.mark.parametrize("unencrypted", [True, False], ids=["plain", "StartTLS"])
@pytest.mark.parametrize(
    "behaviour", [says_nothing, drips, floods, talks_nonsense, hangs_up, says_success_to_all], ids=lambda b: b.__name__
)
def test_it_cannot_be_asked(behaviour: Behaviour, unencrypted: bool) -> None:
    async def ask(address: str) -> None:
        with closing(Directories(whole_seconds=SECONDS)) as directories:
            await directories.verify(source_at(address, unencrypted=unencrypted), "alice", "secret")

    with serving(behaviour) as address, pytest.raises(DirectoryUnavailable) as refusal:
        asyncio.run(ask(address))
    assert "secret" not in str(refusal.value)


def test_a_flood_is_not_taken_in() -> None:
    sent = 0

    def counts(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(4096)
        connection.sendall(SEARCH_ENTRY_BEGUN + b"\x40\x00\x00\x00")
        while True:
            sent += connection.send(bytes(65536))

    async def ask(address: str) -> None:
        with closing(Directories()) as directories:
            await directories.verify(source_at(address), "alice", "secret")

    with serving(counts) as address, pytest.raises(DirectoryUnavailable, match=f"sends more than {MOST_BYTES} bytes"):
        asyncio.run(ask(address))
    # What lies in the buffers of the two systems is not taken in.
    assert sent < 4 * MOST_BYTES


def test_only_so_many_wait() -> None:
    async def ask(address: str) -> list[object]:
        with closing(Directories(whole_seconds=SECONDS)) as directories:
            asking = [directories.verify(source_at(address), "alice", "secret") for _ in range(MOST_WAITING + 5)]
            return list(await asyncio.gather(*asking, return_exceptions=True))

    with serving(says_nothing) as address:
        answers = asyncio.run(ask(address))
    assert all(isinstance(answer, DirectoryUnavailable) for answer in answers)
    refused = [answer for answer in answers if f"{MOST_WAITING} questions wait already" in str(answer)]
    assert len(refused) == 5


def test_a_server_that_is_down_is_asked_last_for_a_while() -> None:
    moment = 0.0
    with socket.create_server(("127.0.0.1", 0)) as gone:
        down = f"ldap://127.0.0.1:{gone.getsockname()[1]}"
    asked: list[str] = []

    def notes(connection: socket.socket) -> None:
        asked.append("other")

    async def ask(address: str) -> None:
        nonlocal moment
        source = source_at(down)
        directory = Directory(
            servers=(down, address),
            users_base_dn="dc=example,dc=com",
            groups_base_dn="dc=example,dc=com",
            unencrypted=True,
            bind_name="reader",
            bind_password="reads",
        )
        source = LdapSource(id="corp", domain="corp.example.com", directory=directory)
        with closing(Directories(clock=lambda: moment)) as directories:
            for _ in range(2):
                with pytest.raises(DirectoryUnavailable):
                    await directories.verify(source, "alice", "secret")

    with serving(notes) as address:
        asyncio.run(ask(address))
    assert asked == ["other", "other"]
