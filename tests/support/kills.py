"""How often servers are killed in drills: a few times, or as often as ``RESPHERE_KILLS`` says (``make drills``)."""

from __future__ import annotations

import os
import signal

from tests.support.server import Server, wait_until

SETTING = "RESPHERE_KILLS"


def kills(usual: int) -> int:
    """So many kills: ``usual`` of them, where nobody asks for a drill of a night."""
    return int(os.environ.get(SETTING, usual))


def kill_in_turn(server: Server, number: int) -> None:
    """Kill the whole server or one of its two workers, whichever turn the ``number`` of the kill is, and wait until it
    serves again."""
    if number % 2:
        server.kill()
        server.start()
    else:
        kill_worker(server, server.workers[number // 2 % 2])


def kill_worker(server: Server, victim: int) -> None:
    """Kill one of two workers; the server goes on with the other one, and a new one."""
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(server.workers) == 2 and victim not in server.workers, "a new worker")
