"""Runs the server: prepares, then lets Granian run the workers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer

from resphere.server.address import Address, claimed, is_open
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
    with claimed(settings.host, settings.port) as address:
        prepared = prepare(settings)
        server = granian(settings, prepared, address)
        server.listening = partial(announce, settings, prepared, address)
        hold_in_forks()
        server.serve(target_loader=partial(load, settings, prepared.ca_archive), wrap_loader=False)


def granian(settings: Settings, prepared: Prepared, address: Address) -> Server:
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
        address=address.host,
        port=address.port,
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


def announce(settings: Settings, prepared: Prepared, address: Address) -> None:
    """Say where the server is."""
    sys.stdout.write("\n".join(banner(settings, prepared, address)) + "\n")
    sys.stdout.flush()
