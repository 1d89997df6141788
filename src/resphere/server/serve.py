"""Runs the server: prepares, then lets Granian run the workers."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer

from resphere.server.app import make_application
from resphere.server.prepare import Prepared, banner, prepare
from resphere.server.settings import Settings
from resphere.server.signals import hold_in_forks

STOP_SECONDS = 30
POLL_SECONDS = 0.01


class Server(MPServer):
    """Granian's server, which says when its port listens: its own hooks are called before there is a worker."""

    listening: Callable[[], None] | None = None
    """Called once, when a client can connect."""

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        while self.listening is not None and not self.main_loop_interrupt.is_set():
            if is_open(self.bind_addr, self.bind_port):
                self.listening()
                return
            time.sleep(POLL_SECONDS)


def serve(settings: Settings) -> None:
    """Serve until told to stop; what runs then is finished first.

    :raises ValueError: a setting, or a file that it names, cannot be used.
    :raises OSError: a file or the port cannot be used.
    """
    require_free(settings.host, settings.port)
    prepared = prepare(settings)
    server = granian(settings, prepared)
    server.listening = partial(announce, settings, prepared)
    hold_in_forks()
    server.serve(target_loader=partial(load, settings, prepared.ca_archive), wrap_loader=False)


def require_free(host: str, port: int) -> None:
    """Refuse an address that another server listens on: workers share theirs, so the kernel would share it out.

    :raises OSError: names the flags.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server itself: what a stopped one has left behind is not in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise OSError(f"cannot listen on --host {host} --port {port}: {error.strerror}") from error


def is_open(host: str, port: int) -> bool:
    """Whether somebody listens there; an address that means all of them is asked for on this machine."""
    try:
        socket.create_connection(({"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)).close()
    except OSError:
        return False
    return True


def granian(settings: Settings, prepared: Prepared) -> Server:
    """The server that carries the application."""
    tls: dict[str, Any] = {}
    if prepared.tls is not None:
        tls = {
            "ssl_cert": prepared.tls.certificate,
            "ssl_key": prepared.tls.key,
            "ssl_protocol_min": SSLProtocols.tls12,
        }
    return Server(
        "resphere",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        http=HTTPModes.auto,
        websockets=False,
        backlog=2048,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        **tls,
    )


def load(settings: Settings, ca_archive: bytes | None, *_: object) -> Any:
    """What Granian calls in each worker process."""
    return make_application(settings, ca_archive)


def announce(settings: Settings, prepared: Prepared) -> None:
    """Say where the server is."""
    sys.stdout.write("\n".join(banner(settings, prepared)) + "\n")
    sys.stdout.flush()
