"""Runs commands on data that are here: on record where they change anything, and with what they fail of in words."""

from __future__ import annotations

import argparse
import sys

from resphere.cli.exits import Exit
from resphere.cli.failures import FORESEEN, told
from resphere.cli.recording import on_record
from resphere.server.serve import ServerFailure


def run(options: argparse.Namespace) -> int:
    """Run one command; returns the exit status."""
    try:
        status: int = options.run(options) if options.recorded is None else on_record(options, options.run)
    except BrokenPipeError:
        raise
    except FORESEEN as error:
        print(f"resphere: {told(error)}", file=sys.stderr)
        return Exit.FAILED
    except ServerFailure:
        return Exit.FAILED  # which the server's log has told already, here too
    return status
