"""Servers of NTP and DNS, and web proxies, are asked whether they are there: only where that is allowed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from resphere.fetching import probing
from resphere.fetching.addresses import Address
from resphere.fetching.allowed import Allowed, read_rules
from resphere.fetching.errors import BadAnswer, FetchError, NotAllowed, TimedOut, Unreachable
from resphere.fetching.probing import DNS_ID, NTP_QUESTION, Credentials, ask_dns, ask_ntp, ask_proxy
from tests.support.proxies import listens
from tests.support.server import free_port, wait_until

HERE = read_rules(("127.0.0.1",))
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
FORWARDING = """\
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://$http_host$request_uri; }} }}
  server {{ listen 127.0.0.1:{target}; location / {{ return 404; }} }}
}}
"""

Ask = Callable[[str, Allowed, int], Awaitable[None]]


class Answering(asyncio.DatagramProtocol):
    """A server that sends these datagrams to whoever asks."""

    def __init__(self, answers: tuple[bytes, ...]) -> None:
        self._answers = answers
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        for answer in self._answers:
            self._transport.sendto(answer, addr)


async def asked(ask: Ask, *answers: bytes) -> None:
    """Ask such a server."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Answering(answers), local_addr=("127.0.0.1", 0))
    try:
        await ask("127.0.0.1", HERE, transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


def test_an_ntp_server_answers() -> None:
    asyncio.run(asked(ask_ntp, bytes([0b00_100_100]) + bytes(47)))


def test_a_dns_server_answers_even_by_a_refusal() -> None:
    asyncio.run(asked(ask_dns, DNS_ID + b"\x81\x05" + bytes(8)))


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (ask_ntp, b""),
        (ask_ntp, bytes([0b00_100_100])),
        (ask_ntp, NTP_QUESTION),
        (ask_dns, b""),
        (ask_dns, b"\x00\x00\x81\x00" + bytes(8)),
        (ask_dns, DNS_ID + b"\x01\x00" + bytes(8)),
    ],
)
def test_what_is_no_answer_is_passed_over(monkeypatch: pytest.MonkeyPatch, ask: Ask, answer: bytes) -> None:
    monkeypatch.setattr(probing, "WAIT_SECONDS", 0.2)
    with pytest.raises(TimedOut):
        asyncio.run(asked(ask, answer))


def test_an_answer_after_what_is_none_is_taken() -> None:
    asyncio.run(asked(ask_ntp, b"", bytes([0b00_100_100]) + bytes(47)))


@pytest.mark.parametrize("ask", [ask_ntp, ask_dns])
def test_nobody_is_there(ask: Ask) -> None:
    with pytest.raises(Unreachable):
        asyncio.run(ask("127.0.0.1", HERE, free_port()))  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["192.0.2.1", "169.254.169.254", "::1"])
def test_nobody_is_asked_elsewhere(host: str) -> None:
    with pytest.raises(NotAllowed, match="--fetch-from"):
        asyncio.run(ask_ntp(host, HERE))


class Forwarding:
    """A web proxy, and a server behind it."""

    def __init__(self, proxy: int, target: int) -> None:
        self.proxy = Address("http", "127.0.0.1", proxy, "/")
        self.target = Address("http", "127.0.0.1", target, "/")

    def ask(self, target: Address | None = None, allowed: Allowed = HERE, proxy: Address | None = None) -> None:
        asyncio.run(ask_proxy(proxy or self.proxy, Credentials("me", "secret"), target or self.target, allowed))


@pytest.fixture(scope="module")
def forwarding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forwarding]:
    if NGINX is None:
        pytest.skip("no nginx here (Debian's nginx-light)")
    folder: Path = tmp_path_factory.mktemp("forwarding")
    port, target = free_port(), free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        FORWARDING.format(folder=folder, port=port, target=target) + ("user root;\n" if os.geteuid() == 0 else "")
    )
    process = subprocess.Popen([NGINX, "-c", str(configuration), "-p", str(folder)])
    try:
        wait_until(lambda: listens(port) and listens(target), "nginx")
        yield Forwarding(port, target)
    finally:
        process.terminate()
        process.wait()


def test_a_proxy_brings_an_answer_whatever_it_says(forwarding: Forwarding) -> None:
    forwarding.ask()


def test_a_proxy_reaches_nobody(forwarding: Forwarding) -> None:
    with pytest.raises(BadAnswer, match="502"):
        forwarding.ask(Address("http", "127.0.0.1", free_port(), "/"))


def test_a_proxy_that_opens_no_tunnels(forwarding: Forwarding) -> None:
    with pytest.raises(BadAnswer, match="does not bring the answer"):
        forwarding.ask(Address("https", "127.0.0.1", 443, "/"))


def test_no_proxy_is_there(forwarding: Forwarding) -> None:
    with pytest.raises(Unreachable):
        forwarding.ask(proxy=Address("http", "127.0.0.1", free_port(), "/"))


def test_a_proxy_is_asked_only_where_it_is_allowed(forwarding: Forwarding) -> None:
    with pytest.raises(FetchError, match="--fetch-from"):
        forwarding.ask(allowed=Allowed())
