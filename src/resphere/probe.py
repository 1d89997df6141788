"""``python -m resphere.probe``: whether a server of this machine is well; for containers and service managers.

It is asked again and again, and so takes nothing of the server's own modules, which take a second to load.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import ssl
import sys
import time
from collections.abc import Mapping, Sequence

LIVE, READY = "/healthz", "/readyz"
USUAL_HOST, USUAL_PORT = "127.0.0.1", 8443
ASK_SECONDS = 8.0
PAUSE_SECONDS = 0.1
OK = 200
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a server listens on, and is asked at
FALSE = ("false", "no", "off", "0")


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Ask, and again while there is time. Returns 0 where the server is well, 1 where it is not."""
    options = parser().parse_args(arguments)
    host = environment.get("RESPHERE_HOST") or USUAL_HOST
    given = environment.get("RESPHERE_PORT", "")
    # Kubernetes tells of a service of that name by RESPHERE_PORT=tcp://..., which is not the server's either.
    port = options.port or (int(given) if re.fullmatch("[0-9]{1,5}", given) else USUAL_PORT)
    tls = environment.get("RESPHERE_TLS", "").lower() not in FALSE
    deadline = time.monotonic() + options.wait
    while True:
        fault = asked(EVERYWHERE.get(host, host), port, LIVE if options.live else READY, tls=tls)
        if fault is None:
            return 0
        if time.monotonic() >= deadline:
            sys.stderr.write(f"resphere: {fault}\n")
            return 1
        time.sleep(PAUSE_SECONDS)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m resphere.probe",
        description="Ask a server of this machine whether it is well. Where it listens is told by RESPHERE_HOST, "
        "RESPHERE_PORT and RESPHERE_TLS, as the server is told. The exit status is 0 where it is well, else 1.",
    )
    found.add_argument("--live", action="store_true", help=f"only whether it lives ({LIVE}), not whether it is ready")
    found.add_argument("--port", type=int, help=f"port of the server [RESPHERE_PORT; default: {USUAL_PORT}]")
    found.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="so long it may take (0)")
    return found


def asked(host: str, port: int, path: str, *, tls: bool) -> str | None:
    """What is wrong with the server, ``None`` where nothing is."""
    connection: http.client.HTTPConnection
    if tls:
        # It tells the server nothing, and the certificate may be for any name.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=ASK_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read()
    except (OSError, http.client.HTTPException) as error:
        return f"no server answers at {host}, port {port}: {error}"
    finally:
        connection.close()
    return None if reply.status == OK else f"the server says {reply.status}: {body.decode('utf-8', 'replace')}"


if __name__ == "__main__":
    sys.exit(main())
