"""Keeps a server's worker processes going: those that die are replaced, those that hang are killed first.

Granian's own rule ends the whole server when a worker dies twice within seconds. Here the healthy ones go on serving,
and the one that dies again and again is started at longer and longer intervals.
"""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import msgspec
from granian.server.mp import MPServer, WorkerProcess

from resphere.server.address import is_open
from resphere.server.process_end import end_with_parent, ending

BEAT_SECONDS = 1.0
"""How often a worker's event loop says that it turns."""
OPENING_POLL_SECONDS = 0.01
DRAINED_BYTES = 4096

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


class Watched:
    """What the supervisor knows of one worker."""

    def __init__(self, worker: WorkerProcess, beats: Connection) -> None:
        self.worker = worker
        self.deaths = 0
        """How many in a row have died early in its place."""
        self.due: float | None = None
        """When it is to be replaced, by the monotonic clock; ``None`` as long as it lives."""
        self.serves = False
        self.silent_ticks = 0
        self._beats = beats

    @property
    def process(self) -> int:
        """The id of its process."""
        return int(self.worker.inner.pid)

    def listen(self) -> None:
        """Take what it has said since the last time."""
        if drained(self._beats):
            self.serves = True
            self.silent_ticks = 0
        else:
            self.silent_ticks += 1

    def close(self) -> None:
        """Let go of what it speaks through."""
        self._beats.close()


class Supervisor(MPServer):
    """Granian's server with a rule of its own for workers that end.

    ``report`` gets a sentence for each worker that died, hangs or cannot be started. ``listening`` is called once, when
    a client can connect: Granian's own hooks are called before there is a worker. After ``serve``, ``failure`` says why
    the server could not go on, ``None`` where it was told to stop.
    """

    report: Callable[[str], None] = staticmethod(print)
    listening: Callable[[], None] = staticmethod(lambda: None)
    patience = Patience()
    failure: str | None = None

    def startup(self, spawn_target: Any, target_loader: Loader) -> None:
        """Start all workers.

        :raises OSError: one cannot be started; those that were are stopped.
        """
        self._watched: dict[int, Watched] = {}
        self._opened = False
        self._killed = 0
        try:
            super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        except BaseException:
            self._stop_workers()  # type: ignore[no-untyped-call]
            raise

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Loader) -> WorkerProcess:  # type: ignore[override]
        beats, said = multiprocessing.Pipe(duplex=False)
        os.set_blocking(beats.fileno(), False)
        worker = super()._spawn_worker(idx=idx, target=target, callback_loader=partial(begin, said, callback_loader))
        self._watched[idx] = Watched(worker, beats)
        return worker

    def _serve_loop(self, spawn_target: Any, target_loader: Loader) -> None:
        next_tick = time.monotonic() + self.patience.tick_seconds
        while self.failure is None:
            self.main_loop_interrupt.wait(self._wait_seconds(next_tick))
            # Before anything is looked at: what comes from now on ends the next wait.
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                # Granian's exit status would tell of workers that died just now.
                self.interrupt_children.clear()
                break
            if self.reload_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]
            self._tell_when_open()
            self._note_deaths()
            self._replace(spawn_target, target_loader)
            if time.monotonic() >= next_tick:
                self._look()
                next_tick = time.monotonic() + self.patience.tick_seconds

    def _wait_seconds(self, next_tick: float) -> float:
        now = time.monotonic()
        moments = [next_tick, *(watched.due for watched in self._watched.values() if watched.due is not None)]
        if not self._opened:
            moments.append(now + OPENING_POLL_SECONDS)
        return max(0.0, min(moments) - now)

    def _tell_when_open(self) -> None:
        if not self._opened and is_open(self.bind_addr, self.bind_port):
            self._opened = True
            self.listening()

    def _note_deaths(self) -> None:
        while self.interrupt_children:
            watched = self._watched[self.interrupt_children.pop()]
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
                self.wrks[idx] = worker

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

    @property
    def _hung_seconds(self) -> float:
        return self.patience.hung_ticks * self.patience.tick_seconds

    @property
    def _late_seconds(self) -> float:
        return self.patience.late_ticks * self.patience.tick_seconds


def drained(connection: Connection) -> bool:
    """Whether there was something to read; it is gone then."""
    try:
        return bool(os.read(connection.fileno(), DRAINED_BYTES))
    except BlockingIOError:
        return False


def begin(said: Connection, loader: Loader) -> Any:
    """What a worker process does first, once its event loop is made."""
    end_with_parent()
    os.set_blocking(said.fileno(), False)
    return loader(partial(beat, said))


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
