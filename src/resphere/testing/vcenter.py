"""A simulated vCenter of a test's own."""

from __future__ import annotations

import json
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

from resphere.testing.connection import SESSION, USER_AGENT, Connection
from resphere.testing.errors import NotAnswered, VCenterError
from resphere.testing.process import Process
from resphere.testing.records import CallRecord
from resphere.testing.trust import BUNDLES, write_bundle

ADMINISTRATOR = "administrator@vsphere.local"
STATE = "resphere-testing"
"""The state that the server began with."""
DURATIONS = "--durations"
PAGE = 1000
UNAVAILABLE = 503
AWAY_SECONDS, AGAIN_SECONDS = 60.0, 0.1
ATTEMPTS = 5
TASK = re.compile(r"task-\d+")
LOCAL = "127.0.0.1,localhost"

Inventory = str | Path | Mapping[str, Any]
"""An inventory file, or what is in one (``{"datacenters": [{"name": "DC01"}], ...}``)."""


class VCenter:
    """A server in a process of its own, from :meth:`start` to :meth:`stop`, or as a context.

    ``inventory`` is a file, or what would be in one; without it the server makes some 40 virtual machines, always the
    same. ``arguments`` are further flags of ``resphere serve``; work takes no time unless they say so. Without a
    ``password`` one is made. The data lies in ``folder``, or else in a temporary one, which goes with the server.

    The server ends with the process that has started it, however that ends.
    """

    def __init__(
        self,
        inventory: Inventory | None = None,
        arguments: Sequence[str] = (),
        *,
        password: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self.user = ADMINISTRATOR
        self.password = password or f"Aa1!{secrets.token_urlsafe(12)}"
        self._inventory = inventory
        self._arguments = tuple(arguments)
        self._given_folder = folder
        self._folder = Path()
        self._process: Process | None = None
        self._connection: Connection | None = None
        self._faults: list[str] = []
        self._since = datetime.now(UTC)
        self._headers: dict[str, str] = {}

    # --- from its start to its end -----------------------------------------------------------------------------------

    def start(self) -> VCenter:
        """Start the server, and keep the state that it begins with.

        :raises VCenterError: it does not start.
        """
        if self._process is not None:
            raise VCenterError("it is started already")
        owns = self._given_folder is None
        self._folder = Path(tempfile.mkdtemp(prefix="resphere-")) if self._given_folder is None else self._given_folder
        durations = () if DURATIONS in self._arguments else (DURATIONS, "none")
        arguments = (*self._inventory_arguments(), *durations, *self._arguments)
        self._process = Process(self._folder, arguments, self.password, owns=owns)
        write_bundle(self._own_ca, self._bundle)
        self._connection = Connection(self.url, str(self._own_ca), self.user, self.password)
        self.call("POST", "/api/resphere/states", {"name": STATE, "replace": True})
        self._begin()
        return self

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            process, self._process = self._process, None
            process.stop()

    def __enter__(self) -> VCenter:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the server has been started, and has not ended."""
        return self._process is not None and self._process.is_running

    def restore(self) -> None:
        """Put the inventory back as it was at the start: work under way is ended, faults are taken away.

        What is no part of the inventory stays: accounts, sessions, schedules, webhooks, tasks.
        """
        self.clear_faults()
        address = f"/api/resphere/states/{STATE}?action=restore"
        deadline = time.monotonic() + AWAY_SECONDS
        for _ in range(ATTEMPTS):
            try:
                self._back("POST", address, {"end_work": True}, deadline)
                break
            except NotAnswered as refused:
                task = TASK.search(refused.body)
                if "RESOURCE_BUSY" not in refused.body or task is None:
                    raise
                # An operation on many objects, which others would go on with: it is canceled, and waited for.
                self.call("POST", f"/api/cis/tasks/{task[0]}?action=cancel")
                self._connected.wait_for_task(task[0])
        else:
            raise VCenterError("operations on many objects do not end")
        self._begin()

    def _back(self, method: str, path: str, body: object, deadline: float) -> None:
        """A call of an appliance that may be away, as a test has rebooted it."""
        while True:
            try:
                self.call(method, path, body)
            except NotAnswered as refused:
                if refused.status != UNAVAILABLE or time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN_SECONDS)
            else:
                return

    def _begin(self) -> None:
        self._since = datetime.now(UTC)
        self._headers = {}

    # --- what clients need -------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """``https://127.0.0.1:<port>``."""
        return self._running.url

    @property
    def host(self) -> str:
        """Where it listens, without a port."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return urlsplit(self.url).port or 443

    @property
    def ca_file(self) -> str:
        """Certificates to trust: the server's own CA, and those that are trusted otherwise."""
        return str(self._bundle)

    @property
    def log_file(self) -> str:
        """What the server writes to standard error."""
        return str(self._running.log)

    def session(self) -> str:
        """Log in: the id of a new session, for the header ``vmware-api-session-id``."""
        return self._connected.new_session()

    @property
    def headers(self) -> dict[str, str]:
        """Headers of a session that is good until the inventory is put back."""
        if not self._headers:
            self._headers = {SESSION: self.session()}
        return dict(self._headers)

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables by which other programs find the server, and trust it."""
        credentials = {"USER": self.user, "PASSWORD": self.password}
        address = f"{self.host}:{self.port}"
        return {
            "VSPHERE_SERVER": address,
            "GOVC_URL": self.url,
            "GOVC_USERNAME": self.user,
            "GOVC_PASSWORD": self.password,
            "GOVC_TLS_CA_CERTS": str(self._own_ca),
            "VMWARE_HOST": address,
            "VMWARE_VALIDATE_CERTS": "true",
            **{f"VSPHERE_{name}": value for name, value in credentials.items()},
            **{f"VMWARE_{name}": value for name, value in credentials.items()},
            **dict.fromkeys(BUNDLES, self.ca_file),
            "no_proxy": LOCAL,
            "NO_PROXY": LOCAL,
        }

    # --- what it is asked --------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None) -> Any:
        """A call as the administrator, which is none of :attr:`calls`: the decoded answer.

        :raises NotAnswered: it was refused.
        """
        return self._connected.call(method, path, body)

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """What was called since the inventory was put back last, in order: by anybody but this object."""
        return tuple(self._calls())

    def _calls(self) -> Iterator[CallRecord]:
        start = self._since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        asked = f"/api/resphere/audit?order=OLDEST_FIRST&size={PAGE}&start={start}"
        page: str | None = ""
        while page is not None:
            found = self.call("GET", f"{asked}&page={quote(page)}" if page else asked)
            yield from (CallRecord.of(each) for each in found["records"] if each.get("user_agent") != USER_AGENT)
            page = found.get("next")

    def fault(self, operation: str, **rule: Any) -> str:
        """Have calls of an operation (a shell pattern of ids) fail or be late until the inventory is put back, or
        :meth:`clear_faults`; ``rule`` is that of ``POST /api/resphere/faults``: ``error="SERVICE_UNAVAILABLE"``,
        ``latency_seconds=2``, ``times=1``, ``drop=True``. Returns its id.

        :raises NotAnswered: it is no rule.
        """
        made = self.call("POST", "/api/resphere/faults", {"operation": operation, **rule})
        self._faults.append(made["fault"])
        return str(made["fault"])

    def clear_faults(self) -> None:
        """Take away what :meth:`fault` has made."""
        while self._faults:
            try:
                self.call("DELETE", f"/api/resphere/faults/{self._faults[-1]}")
            except NotAnswered as refused:
                if refused.status != 404:
                    raise
            self._faults.pop()

    def set_clock(self, moment: datetime, *, frozen: bool = False) -> None:
        """Have it be that time in the vCenter until the inventory is put back: the clock goes on from there, or is
        ``frozen``. What goes by it says ``docs/testing.md``.

        :raises NotAnswered: the time is out of range.
        """
        text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.call("PUT", "/api/resphere/clock", {"time": text, "frozen": frozen})

    def advance_clock(self, by: timedelta) -> None:
        """Move the clock of the vCenter, back where ``by`` is negative.

        :raises NotAnswered: the time is out of range.
        """
        self.call("POST", "/api/resphere/clock?action=advance", {"seconds": by.total_seconds()})

    # --- inside ------------------------------------------------------------------------------------------------------

    def _inventory_arguments(self) -> tuple[str, ...]:
        if self._inventory is None:
            return ()
        if isinstance(self._inventory, str | Path):
            return ("--inventory", str(self._inventory))
        file = self._folder / "inventory.yaml"
        file.write_text(json.dumps(dict(self._inventory)))  # which is YAML as well
        return ("--inventory", str(file))

    @property
    def _own_ca(self) -> Path:
        return self._folder / "data" / "tls" / "ca.pem"

    @property
    def _bundle(self) -> Path:
        return self._folder / "trusted.pem"

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise VCenterError("it is not started: use it as a context, or call start()")
        return self._process

    @property
    def _connected(self) -> Connection:
        if self._connection is None:
            raise VCenterError("it is not started: use it as a context, or call start()")
        return self._connection
