"""Keeps a server's worker processes going: those that die are replaced, those that hang are killed first.

Granian's own rule ends the whole server when a worker dies twice within seconds. Here the healthy ones go on serving,
and the one that dies again and again is started at longer and longer intervals.

On SIGHUP, and when what they were started with has changed (certificates), all are replaced, one after the other: the
next one serves before the one in its place retires. All share one listening socket, so that no connection waits at a
worker that is gone.
"""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import Any

import msgspec
from granian import net
from granian._granian import SocketHolder
from granian.constants import SSLProtocols
from granian.server.mp import MPServer, WorkerProcess

from resphere.server.address import Address
from resphere.server.process_end import end_with_parent, ending
from resphere.server.retiring import LONGEST_SECONDS, RETIRE, Retirable, Retirement
from resphere.server.second_port import SecondPort, WithSecondPort
from resphere.server.watched import Watched

BEAT_SECONDS = 1.0
"""How often a worker's event loop says that it turns."""
OPENING_POLL_SECONDS = 0.01

Beat = Callable[[], None]
"""Begin to say, from the event loop that is there, that it turns."""
Loader = Callable[[Beat], Any]
"""Makes the application in a worker, which calls what it is given when it serves."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long the supervisor waits for what.

    It looks at its workers every ``tick_seconds``. One whose loop has not turned for ``hung_ticks`` looks in a row is
    killed; looks are counted and not seconds, so that a computer that slept, or a server that was stopped and goes on,
    kills nobody. The first death of a worker is mended at once, the next ones after ``retry_seconds``, twice that, and
    so on up to ``longest_retry_seconds``, until one has lived for ``settled_seconds``. As long as none has ever served,
    the server ends with the first worker that ends by itself, and with the ``starts``-th that is killed.
    """

    tick_seconds: float = 1.0
    hung_ticks: int = 30
    late_ticks: int = 60
    """After so many looks at one that does not serve yet, that is told."""
    retry_seconds: float = 0.5
    longest_retry_seconds: float = 30.0
    settled_seconds: float = 60.0
    starts: int = 3

    def delay_seconds(self, deaths: int) -> float:
        """How long to wait after the ``deaths``-th death in a row (from 1)."""
        if deaths <= 1:
            return 0.0
        return min(self.longest_retry_seconds, self.retry_seconds * 2.0 ** min(deaths - 2, 32))


class Succession(msgspec.Struct, frozen=True):
    """A worker is being started in a place; the one ``before`` goes on until it serves."""

    idx: int
    before: Watched


class Retired(msgspec.Struct, frozen=True):
    """A worker that makes room, and is killed where it has not ended by then, by the monotonic clock."""

    worker: WorkerProcess
    killed_at: float


class Supervisor(MPServer):
    """Granian's server with a rule of its own for workers that end.

    ``report`` gets a sentence for each worker that died, hangs or cannot be started. ``listening`` is called once, when
    a client can connect: Granian's own hooks are called before there is a worker. After ``serve``, ``failure`` says why
    the server could not go on, ``None`` where it was told to stop.
    """

    report: Callable[[str], None] = staticmethod(print)
    listening: Callable[[], None] = staticmethod(lambda: None)
    changed: Callable[[], bool] = staticmethod(lambda: False)
    """Whether workers that start now would get something else than those that serve; asked at every tick."""
    refresh: Callable[[], bool] = staticmethod(lambda: True)
    """Have the next workers get what there is now; false where that cannot be, and those that serve go on."""
    interlude_due: Callable[[], bool] = staticmethod(lambda: False)
    """Whether all workers have to stop, so that something is done while none is there; asked at every tick."""
    interlude: Callable[[], str | None] = staticmethod(lambda: None)
    """What is done then; returns why the server cannot go on after it, ``None`` where it can."""
    patience = Patience()
    oldest_tls: Callable[[], tuple[SSLProtocols, SSLProtocols]] = staticmethod(
        lambda: (SSLProtocols.tls12, SSLProtocols.tls12)
    )
    """The oldest versions of TLS that the next workers speak, at the address and at the second one."""
    drain_seconds: float = 0.0
    """For so long it goes on when it is told to stop, after ``draining`` was called."""
    draining: Callable[[], None] = staticmethod(lambda: None)
    second_address: Address | None = None
    """Where the workers listen besides."""
    failure: str | None = None

    def startup(self, spawn_target: Any, target_loader: Loader) -> None:
        """Start all workers.

        :raises OSError: one cannot be started; those that were are stopped.
        """
        self._watched: dict[int, Watched] = {}
        self._outdated: set[int] = set()
        self._succession: Succession | None = None
        self._retired: list[Retired] = []
        self._opened = False
        self._killed = 0
        try:
            super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        except BaseException:
            self._stop_workers()
            raise

    def _init_shared_socket(self) -> None:
        # Granian has each worker make a socket of its own, with whose end the connections that wait at it are reset.
        super()._init_shared_socket()  # type: ignore[no-untyped-call]
        holder: Any = self._shd
        if holder is None:
            specification: Any = self._ssp
            self._shd = holder = specification.build()
            self._ssp = None
        listen(holder, self.backlog)
        self._second: Any = None
        if self.second_address is not None:
            self._second = specify(self.second_address.host, self.second_address.port, self.backlog).build()
            listen(self._second, self.backlog)

    def _drop_shared_socket(self) -> None:
        super()._drop_shared_socket()  # type: ignore[no-untyped-call]
        self._shd = None
        self._second = None

    def _stop_workers(self) -> None:
        """All of them, those too that are making room."""
        if self._succession is not None:
            self.wrks.append(self._succession.before.worker)
        self.wrks.extend(retired.worker for retired in self._retired)
        super()._stop_workers()  # type: ignore[no-untyped-call]

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Loader) -> WorkerProcess:  # type: ignore[override]
        beats, said = multiprocessing.Pipe(duplex=False)
        os.set_blocking(beats.fileno(), False)
        oldest, oldest_at_second = self.oldest_tls()
        self.ssl_ctx = with_oldest(self.ssl_ctx, oldest)
        worker = super()._spawn_worker(
            idx=idx,
            target=target,
            callback_loader=partial(begin, said, self._ports, callback_loader, self._second_port(oldest_at_second)),
        )
        self._watched[idx] = Watched(worker, beats)
        return worker

    @property
    def _ports(self) -> tuple[int, ...]:
        second = () if self.second_address is None else (self.second_address.port,)
        return (self.bind_port, *second)

    def _second_port(self, oldest: SSLProtocols) -> SecondPort | None:
        """What the next worker serves the second port with: as it serves the first, but for the oldest version."""
        if self._second is None:
            return None
        arguments = (
            self.runtime_threads,
            self.runtime_blocking_threads,
            self.blocking_threads,
            self.blocking_threads_idle_timeout,
            self.backpressure,
            self.http,
            self.http1_settings,
            self.http2_settings,
            self.websockets,
            self.static_path,
            *with_oldest(self.ssl_ctx, oldest),
            (None, None),
        )
        return SecondPort(self._second, self.runtime_mode, arguments, self.task_impl)

    def _serve_loop(self, spawn_target: Any, target_loader: Loader) -> None:
        next_tick = time.monotonic() + self.patience.tick_seconds
        while self.failure is None:
            self.main_loop_interrupt.wait(self._wait_seconds(next_tick))
            # Before anything is looked at: what comes from now on ends the next wait.
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                self._drain()
                # Granian's exit status would tell of workers that died just now.
                self.interrupt_children.clear()
                break
            if self.reload_signal:
                self.reload_signal = False
                if self.refresh():
                    self._outdated = set(self._watched)
            self._tell_when_open()
            self._note_deaths()
            self._replace(spawn_target, target_loader)
            self._succeed(spawn_target, target_loader)
            if time.monotonic() >= next_tick:
                self._look()
                if self.interlude_due():
                    self._pause(spawn_target, target_loader)
                self.reload_signal = self.reload_signal or self.changed()
                next_tick = time.monotonic() + self.patience.tick_seconds

    def _drain(self) -> None:
        """Go on for a while, so that balancers learn that there will be nobody: until told again to stop, or until a
        worker ends, which was told so, too."""
        until = time.monotonic() + self.drain_seconds
        self.interrupt_signal = False
        if self.drain_seconds:
            self.draining()
        while not (self.interrupt_signal or self.interrupt_children) and (left := until - time.monotonic()) > 0:
            self.main_loop_interrupt.wait(left)
            self.main_loop_interrupt.clear()
        self.interrupt_signal = True

    def _pause(self, spawn_target: Any, target_loader: Loader) -> None:
        """Stop all workers, do what is to be done meanwhile, and start as many. Who connects in between waits."""
        self._stop_workers()
        for watched in self._watched.values():
            watched.close()
        if self._succession is not None:
            self._succession.before.close()
        self._watched, self._outdated, self._succession, self._retired = {}, set(), None, []
        self.interrupt_children.clear()
        self.failure = self.interlude()
        if self.failure is None:
            try:
                self._spawn_workers(spawn_target, target_loader)  # type: ignore[no-untyped-call]
            except OSError as error:
                self.failure = f"no worker process can be started: {error}"

    def _wait_seconds(self, next_tick: float) -> float:
        now = time.monotonic()
        moments = [next_tick, *(watched.due for watched in self._watched.values() if watched.due is not None)]
        if not self._opened:
            moments.append(now + OPENING_POLL_SECONDS)
        return max(0.0, min(moments) - now)

    def _tell_when_open(self) -> None:
        if self._opened:
            return
        for watched in self._watched.values():
            watched.hear()
        if any(watched.serves for watched in self._watched.values()):
            self._opened = True
            self.listening()

    def _note_deaths(self) -> None:
        while self.interrupt_children:
            idx = self.interrupt_children.pop()
            if self._succession is not None and self._succession.idx == idx:
                self._note_end_of_succession(self._succession)
            watched = self._watched[idx]
            # One that a reload has replaced meanwhile is nobody's loss.
            if watched.due is None and not watched.worker.inner.is_alive():
                self._note_death(watched)

    def _note_death(self, watched: Watched) -> None:
        now = time.monotonic()
        exit_code = watched.worker.inner.exitcode
        event = f"worker process {watched.process} {ending(exit_code)}"
        if not self._opened:
            self._killed += exit_code < 0
            if exit_code >= 0 or self._killed == self.patience.starts:
                self.failure = f"the server cannot start: {event}, and none has served yet"
                return
        early = now - watched.worker.birth < self.patience.settled_seconds
        watched.deaths = watched.deaths + 1 if early else 1
        self._put_off(watched, event)

    def _put_off(self, watched: Watched, event: str) -> None:
        delay_seconds = self.patience.delay_seconds(watched.deaths)
        watched.due = time.monotonic() + delay_seconds
        self.report(f"{event}; another starts {f'in {delay_seconds:g} s' if delay_seconds else 'at once'}")

    def _replace(self, spawn_target: Any, target_loader: Loader) -> None:
        """Start workers in place of those whose time has come."""
        for idx, old in list(self._watched.items()):
            if old.due is None or old.due > time.monotonic():
                continue
            try:
                worker = self._spawn_worker(idx, spawn_target, target_loader)
                worker.start()  # type: ignore[no-untyped-call]
            except OSError as error:
                if self._watched[idx] is not old:
                    self._watched[idx].close()
                    self._watched[idx] = old
                old.deaths += 1
                self._put_off(old, f"no worker process can be started: {error}")
            else:
                old.close()
                self._watched[idx].deaths = old.deaths
                self._outdated.discard(idx)
                self.wrks[idx] = worker

    def _succeed(self, spawn_target: Any, target_loader: Loader) -> None:
        """Replace workers that were started with something else, and see to it that those before them end."""
        now = time.monotonic()
        for retired in list(self._retired):
            if not retired.worker.inner.is_alive():
                self._retired.remove(retired)
            elif now >= retired.killed_at:
                retired.worker.kill()  # type: ignore[no-untyped-call]
        if self._succession is not None:
            if self._watched[self._succession.idx].serves:
                self._retire(self._succession)
        elif (idx := next((idx for idx in self._outdated if self._watched[idx].due is None), None)) is not None:
            self._outdated.discard(idx)
            self._begin_succession(idx, spawn_target, target_loader)

    def _begin_succession(self, idx: int, spawn_target: Any, target_loader: Loader) -> None:
        before = self._watched[idx]
        try:
            worker = self._spawn_worker(idx, spawn_target, target_loader)
            worker.start()  # type: ignore[no-untyped-call]
        except OSError as error:
            if self._watched[idx] is not before:
                self._watched[idx].close()
                self._watched[idx] = before
            self.report(f"worker process {before.process} goes on: no successor can be started: {error}")
        else:
            self.wrks[idx] = worker
            self._succession = Succession(idx, before)

    def _retire(self, succession: Succession) -> None:
        """Have the one before make room: its successor serves."""
        self._succession = None
        worker = succession.before.worker
        succession.before.close()
        worker.interrupt_by_parent = True
        if worker.inner.is_alive():
            os.kill(succession.before.process, RETIRE)
            killed_at = time.monotonic() + LONGEST_SECONDS + (self.workers_kill_timeout or 0)
            self._retired.append(Retired(worker, killed_at))

    def _note_end_of_succession(self, succession: Succession) -> None:
        """Go on with the one before where its successor has ended before it served."""
        successor = self._watched[succession.idx]
        if successor.worker.inner.is_alive():
            return
        self._succession = None
        event = f"worker process {successor.process} {ending(successor.worker.inner.exitcode)} before it served"
        self.report(f"{event}; {succession.before.process}, which it was to replace, goes on")
        successor.close()
        self._watched[succession.idx] = succession.before
        self.wrks[succession.idx] = succession.before.worker

    def _look(self) -> None:
        """See which workers hang, and kill them: their deaths are noted as any others."""
        for watched in self._watched.values():
            if watched.due is not None:
                continue
            watched.listen()
            if watched.serves and watched.silent_ticks == self.patience.hung_ticks:
                self.report(f"worker process {watched.process} has hung for {self._hung_seconds:g} s and is killed")
                watched.worker.inner.kill()
            elif not watched.serves and watched.silent_ticks == self.patience.late_ticks:
                self.report(f"worker process {watched.process} does not serve yet after {self._late_seconds:g} s")
                if self._succession is not None and self._watched[self._succession.idx] is watched:
                    watched.worker.inner.kill()

    @property
    def _hung_seconds(self) -> float:
        return self.patience.hung_ticks * self.patience.tick_seconds

    @property
    def _late_seconds(self) -> float:
        return self.patience.late_ticks * self.patience.tick_seconds


def with_oldest(context: tuple[Any, ...], oldest: SSLProtocols) -> tuple[Any, ...]:
    """What Granian has made of its settings of TLS, with that oldest version."""
    enabled, certificate, key, password, _, *more = context
    return (enabled, certificate, key, password, str(oldest), *more)


specify: Any = net.SocketSpec  # type: ignore[attr-defined]
"""What makes a listening socket."""


def listen(holder: Any, backlog: int) -> None:
    """Have who connects before a worker serves wait for it."""
    with socket.socket(fileno=os.dup(holder.get_fd())) as shared:
        shared.listen(backlog)


def begin(said: Connection, ports: tuple[int, ...], loader: Loader, second: SecondPort | None = None) -> Any:
    """What a worker process does first, once its event loop is made."""
    end_with_parent()
    os.set_blocking(said.fileno(), False)

    retirement = Retirement(ports)
    application = Retirable(loader(partial(serve, said, retirement)), retirement)
    return application if second is None else WithSecondPort(application, second)


def serve(said: Connection, retirement: Retirement) -> None:
    """Say that this worker serves, and listen to what it is told from now on."""
    asyncio.get_event_loop().add_signal_handler(RETIRE, retirement.begin)
    beat(said)


def beat(said: Connection) -> None:
    """Say that the event loop turns, now and from now on, unless no descriptor is left for a connection."""
    try:
        os.close(os.dup(said.fileno()))
        os.write(said.fileno(), b".")
    except BrokenPipeError:
        return  # another worker has taken this one's place
    except BlockingIOError:
        pass  # the supervisor is stopped, and will find enough
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
    asyncio.get_event_loop().call_later(BEAT_SECONDS, beat, said)


def reduce_socket(holder: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """How the shared socket gets into a process that is spawned, not forked: its descriptor is another one there."""
    _, *rest = holder.__getstate__()
    return rebuild_socket, (DupFd(holder.get_fd()), *rest)


def rebuild_socket(descriptor: Any, *rest: Any) -> Any:
    """The socket in that process."""
    return SocketHolder(descriptor.detach(), *rest)  # type: ignore[call-arg]


ForkingPickler.register(SocketHolder, reduce_socket)
