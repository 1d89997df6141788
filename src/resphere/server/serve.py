"""Runs the server: prepares, then lets Granian run the workers."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer

from resphere.server.app import make_application
from resphere.server.prepare import Prepared, banner, prepare
from resphere.server.settings import Settings

STOP_SECONDS = 30


def serve(settings: Settings) -> None:
    """Serve until told to stop; what runs then is finished first.

    :raises ValueError: a setting, or a file that it names, cannot be used.
    :raises OSError: a file or the port cannot be used.
    """
    prepared = prepare(settings)
    server = granian(settings, prepared)
    server.on_startup(partial(announce, settings, prepared))
    server.serve(target_loader=partial(load, settings, prepared.ca_archive), wrap_loader=False)


def granian(settings: Settings, prepared: Prepared) -> MPServer:
    """The server that carries the application."""
    tls: dict[str, Any] = {}
    if prepared.tls is not None:
        tls = {
            "ssl_cert": prepared.tls.certificate,
            "ssl_key": prepared.tls.key,
            "ssl_protocol_min": SSLProtocols.tls12,
        }
    return MPServer(
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
