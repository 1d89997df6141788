"""Runs the server: prepares, then lets Granian run the workers."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels

from resphere import services
from resphere.audit.server_log import ServerLog
from resphere.inventory.appliance.tls import TLS_1_2, TLS_1_3
from resphere.server.address import Address, claimed
from resphere.server.app import make_application
from resphere.server.archive import ArchiveError
from resphere.server.connections.sockets import AVAILABLE
from resphere.server.counting import Memories, kept_memories
from resphere.server.memory import do_apart
from resphere.server.open_files import most_connections, raise_limit
from resphere.server.prepare import Prepared, administrator_password, banner, fill_store, make_folder, prepare
from resphere.server.recovery import give_up, is_committed, is_usable, put_in_place, tidy
from resphere.server.secrets_key import with_key_at_hand
from resphere.server.served_certificate import ServedCertificate
from resphere.server.settings import Settings
from resphere.server.signals import hold_in_forks
from resphere.server.supervisor import Beat, Patience, Supervisor
from resphere.server.tls import acme_renewal, utc_now
from resphere.services.registry import load as load_handlers
from resphere.store.base import StoreError
from resphere.store.engines import one_server_on
from resphere.store.one_server import one_server

log = logging.getLogger(__name__)

APPLIANCE_PORT = "--appliance-port"
STOP_SECONDS = 30
BACKLOG = 2048
HEADERS_BYTES = 64 * 1024
HTTP1_BUFFER_BYTES = HEADERS_BYTES
"""Of a connection, in each direction; a request's headers must fit."""
HTTP2_STREAMS = 64
HTTP2_STREAM_WINDOW_BYTES = 256 * 1024
HTTP2_CONNECTION_WINDOW_BYTES = 512 * 1024
"""What a client may send before somebody reads it."""
HTTP2_SEND_BUFFER_BYTES = 64 * 1024
"""Of a stream."""
PROTOCOLS = {TLS_1_2: SSLProtocols.tls12, TLS_1_3: SSLProtocols.tls13}
PATIENCE = Patience()
LOCK_FILE = "server.lock"
HINT = "; --data-dir names another"
UNWATCHED = (
    "only on Linux are all limits of connections held: here a TLS handshake may take 10 seconds, a request's header "
    "and the time before it, --connection-idle-seconds over HTTP/1.1, and there are at most --max-connections; "
    "--connection-request-seconds and --connection-stall-seconds change nothing, and idle connections of HTTP/2 stay"
)
"""What is Granian's own doing: nobody looks at the connections."""


class ServerFailure(Exception):
    """The server ended without being told to; the message says why."""


def serve(settings: Settings, patience: Patience = PATIENCE) -> None:
    """Serve until told to stop; what runs then is finished first.

    :raises ValueError: a setting, or a file that it names, cannot be used.
    :raises OSError: a file or the port cannot be used.
    :raises StoreError: nor can the store, or another server has it.
    :raises ServerFailure: no worker can serve.
    """
    raise_limit()
    with ExitStack() as stack:
        address = taken(settings, stack)
        settings = with_key_at_hand(settings)
        restored(settings)
        # Once, and before they are forked: the workers share it.
        load_handlers(services)
        prepared = prepare(settings)
        server = granian(settings, prepared, address)
        if settings.appliance_port:
            second = claimed(settings.host, settings.appliance_port, APPLIANCE_PORT)
            server.second_address = stack.enter_context(second)
        server.patience = patience
        server.report = partial(report, settings)
        server.listening = partial(announce, settings, prepared, address)
        server.interlude_due = partial(is_committed, settings)
        server.interlude = partial(restart, settings, prepared)
        if prepared.tls is not None:
            look_after(prepared.tls, server, settings, stack)
        if not AVAILABLE:
            report(settings, UNWATCHED, logging.WARNING)
        memories = kept_memories(settings)
        server.drain_seconds = settings.drain_seconds
        server.draining = memories.draining.begin
        hold_in_forks()
        loader = partial(load, settings, memories, address.port)
        server.serve(target_loader=loader, wrap_loader=False)
    if server.failure is not None:
        report(settings, server.failure)
        raise ServerFailure(server.failure)


def taken(settings: Settings, stack: ExitStack) -> Address:
    """The address to listen on, once this server is the only one on the data directory, the store and it."""
    if not settings.data_dir.exists():
        # Nothing is made where the address cannot be had.
        address = stack.enter_context(claimed(settings.host, settings.port))
        stack.enter_context(only_server(settings))
        return address
    # The data first: what a killed server has left behind is waited for, and frees the address, too.
    stack.enter_context(only_server(settings))
    return stack.enter_context(claimed(settings.host, settings.port))


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """Be the only server on the data directory and the store while within.

    :raises OSError: the data directory cannot be made.
    :raises InUse: another one has them.
    """
    make_folder("--data-dir", settings.data_dir, 0o700)
    with (
        one_server(settings.data_dir / LOCK_FILE, f"the data directory {settings.data_dir}", HINT),
        one_server_on(settings.store_url),
    ):
        yield


def granian(settings: Settings, prepared: Prepared, address: Address) -> Supervisor:
    """The server that carries the application."""
    tls: dict[str, Any] = {}
    if prepared.tls is not None:
        bundle = prepared.tls.bundle
        tls = {"ssl_cert": bundle, "ssl_key": bundle}
    return Supervisor(
        "resphere",
        address=address.host,
        port=address.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        http=HTTPModes.auto,
        websockets=True,
        backlog=BACKLOG,
        backpressure=most_connections(raise_limit(), settings.workers, settings.max_connections),
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.connection_idle_seconds * 1000,
            max_buffer_size=HTTP1_BUFFER_BYTES,
        ),
        http2_settings=HTTP2Settings(
            initial_connection_window_size=HTTP2_CONNECTION_WINDOW_BYTES,
            initial_stream_window_size=HTTP2_STREAM_WINDOW_BYTES,
            max_concurrent_streams=HTTP2_STREAMS,
            max_headers_size=HEADERS_BYTES,
            max_send_buffer_size=HTTP2_SEND_BUFFER_BYTES,
        ),
        log_level=LogLevels.warning,
        workers_kill_timeout=STOP_SECONDS,
        **tls,
    )


def restored(settings: Settings) -> None:
    """Put a backup in the place that it was to take when the server ended, and delete what else was left.

    :raises StoreError: it cannot be, and what was there is given up already: this has to be repeated.
    :raises ArchiveError: likewise.
    :raises OSError: likewise.
    """
    if is_committed(settings):
        put_in_place_or_stay(settings)
    tidy(settings)


def put_in_place_or_stay(settings: Settings) -> bool:
    """Put a backup in the place of what is there; false where that cannot be, and what was there is there still.

    :raises StoreError: it cannot be, and what was there is given up already.
    :raises ArchiveError: likewise.
    :raises ValueError: likewise.
    :raises OSError: likewise.
    """
    try:
        do_apart(partial(put_in_place, settings, utc_now()))
    except (ArchiveError, StoreError, ValueError, OSError) as error:
        if not do_apart(partial(is_usable, settings)):
            raise
        report(settings, f"the backup could not be restored, and all stays as it was: {error}")
        give_up(settings)
        return False
    return True


def restart(settings: Settings, prepared: Prepared) -> str | None:
    """Put a backup in the place of what is there, while no worker runs. Returns why no server can go on after that,
    ``None`` where one can: with the backup, or with what was there."""
    try:
        if not put_in_place_or_stay(settings):
            return None
    except (ArchiveError, StoreError, ValueError, OSError) as error:
        return f"the restoration is not finished, and goes on when the server is started again: {error}"
    try:
        # What the backup has brought is what a start would find.
        password, file = administrator_password(settings)
        do_apart(partial(fill_store, settings, password, file is None))
        if prepared.tls is not None:
            prepared.tls.take()
    except (ValueError, OSError, StoreError) as error:
        return f"the server cannot start on the backup that was restored: {error}"
    report(settings, "a backup was restored, and is served from now on", logging.WARNING)
    return None


def look_after(certificate: ServedCertificate, server: Supervisor, settings: Settings, stack: ExitStack) -> None:
    """Have the workers serve what is in the certificate's files, whenever these change."""
    certificate.report = partial(report, settings)
    server.oldest_tls = partial(oldest_tls, certificate)
    server.changed = certificate.changed
    server.refresh = certificate.take
    renewal = acme_renewal(settings)
    if renewal is not None:
        renewal.report = certificate.report
        stack.callback(renewal.stop)
        certificate.each_time = renewal.look


def oldest_tls(certificate: ServedCertificate) -> tuple[SSLProtocols, SSLProtocols]:
    """The oldest versions at the first address and at the second, as Granian calls them."""
    return PROTOCOLS[certificate.oldest.main], PROTOCOLS[certificate.oldest.appliance]


def load(settings: Settings, memories: Memories, port: int, beat: Beat) -> Any:
    """What is called in each worker process."""
    return make_application(settings, memories, port, beat)


def report(settings: Settings, event: str, level: int = logging.ERROR) -> None:
    """Write an event into ``resphere.log`` and on standard error.

    The log is opened for it alone: its thread must not be there when a worker is forked.
    """
    try:
        server_log = ServerLog(settings.logs)
    except OSError as error:
        sys.stderr.write(f"resphere: {event} ({settings.logs} cannot be written: {error})\n")
        return
    with closing(server_log):
        log.log(level, "%s", event)


def announce(settings: Settings, prepared: Prepared, address: Address) -> None:
    """Say where the server is."""
    sys.stdout.write("\n".join(banner(settings, prepared, address)) + "\n")
    sys.stdout.flush()
