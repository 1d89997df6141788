"""Runs commands that speak to a server: whatever goes wrong there is a sentence and a status."""

from __future__ import annotations

import argparse
import sys

from resphere.cli.exits import Exit
from resphere.cli.remote.failing import FAILURES, status_of, told


def run(options: argparse.Namespace) -> int:
    """Run one command; returns the exit status."""
    try:
        status: int = options.run(options)
    except BrokenPipeError:
        raise
    except FAILURES as error:
        print(f"{options.command}: {told(error)}", file=sys.stderr)
        return status_of(error)
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted; what was begun goes on at the server", file=sys.stderr)
        return Exit.INTERRUPTED
    return status
