"""``python -m tests.support.ftp_process``: pyftpdlib's server, in a process of its own as it needs ``asyncore``, which
warns of its end. Its options come as JSON; it writes the port that it listens on."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


def implicit(handler: Any) -> None:
    """TLS from the beginning, of which the library knows nothing itself."""
    handler.secure_connection(handler.ssl_context)
    TLS_FTPHandler.handle(handler)


def main(options: dict[str, Any]) -> None:
    """Serve until the process ends."""
    logging.basicConfig(level=logging.ERROR)
    users = DummyAuthorizer()
    users.add_user(options["user"], options["password"], options["root"], perm=options["permissions"])
    base: Any = FTPHandler if options["certificate"] is None else TLS_FTPHandler
    said: dict[str, Any] = {"authorizer": users, "use_sendfile": False}
    if options["certificate"] is not None:
        said |= {"certfile": options["certificate"], "tls_control_required": True, "tls_data_required": True}
    if options["implicit"]:
        said["handle"] = implicit
    server = FTPServer((options["address"], options["port"]), type("Handler", (base,), said))
    sys.stdout.write(f"{server.address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
