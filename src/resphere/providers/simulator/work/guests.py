"""The guests of simulated virtual machines."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from datetime import datetime

import msgspec

from resphere.contract.errors import Unauthenticated, Unsupported, message, vim_message
from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest import Credentials, LocalFilesystem, Processes
from resphere.contract.model import ByteStream
from resphere.inventory.effects import FileChange, Received
from resphere.inventory.facts import Facts
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import GuestFiles, Opened, Work
from resphere.providers.simulator.guest.customizing import customize
from resphere.providers.simulator.guest.faults import no_process
from resphere.providers.simulator.guest.files import SimulatedFiles, changed
from resphere.providers.simulator.guest.image import administrator_of, environment, style_of
from resphere.providers.simulator.guest.package import variables
from resphere.providers.simulator.guest.processes import ended, info, shown, started
from resphere.providers.simulator.guest.systems import Systems
from resphere.providers.simulator.guest.tools import installer_drive, upgraded, with_installer, without_installer
from resphere.providers.simulator.guest.tree import Limits
from resphere.providers.simulator.notes import Notes
from resphere.providers.simulator.work.customizations import Customizations
from resphere.providers.simulator.work.transfers import Transfers
from resphere.replica.replica import Replica
from resphere.store.base import Contents

CLEAN_UP_SECONDS = 30.0


class GuestOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What simulated guests are like. ``user``: unset is ``root`` on POSIX systems and ``Administrator`` on Windows."""

    user: str | None = None
    password: str = "VMware1!"  # noqa: S105 - of simulated guests, documented
    limits: Limits = Limits()


class Guests:
    """Each guest is a small file system and a table of processes."""

    def __init__(
        self,
        inventory: Replica,
        contents: Contents,
        now: Callable[[], datetime],
        options: GuestOptions,
    ) -> None:
        self._inventory = inventory
        self._now = now
        self._options = options
        self._customizations = Customizations(inventory, now)
        self._systems = Systems(inventory, contents, options.limits)
        self._transfers = Transfers(inventory, contents, self._systems)

    def log_in(self, vm: VirtualMachine, credentials: Credentials) -> str:
        """The one user that every simulated guest has."""
        if credentials.type is not Credentials.Type.USERNAME_PASSWORD:
            raise Unsupported(
                message(
                    "resphere.vm.guest.saml",
                    "The simulated guest in {0} trusts no issuer of SAML tokens: use a user name and a password.",
                    named(vm),
                )
            )
        if credentials.interactive_session:
            raise Unsupported(
                message(
                    "resphere.vm.guest.interactive",
                    "Nobody is logged on to the desktop of the guest in {0}: set interactive_session to false.",
                    named(vm),
                )
            )
        user = self._options.user or administrator_of(vm)
        given, windows = credentials.user_name or "", style_of(vm).windows
        same = given.lower() == user.lower() if windows else given == user
        right = hmac.compare_digest((credentials.password or "").encode(), self._options.password.encode())
        if not (same and right):
            raise Unauthenticated(
                vim_message(
                    "vmsg.InvalidGuestLogin.summary",
                    "Failed to authenticate with the guest operating system using the supplied credentials.",
                )
            )
        return user

    def has_desktop_user(self, vm: VirtualMachine) -> bool:
        """Nobody ever is."""
        return False

    def environment(self, vm: VirtualMachine) -> dict[str, str]:
        """The administrator's."""
        return environment(vm)

    def is_name_of(self, vm: VirtualMachine, variable: str, name: str) -> bool:
        """On Windows upper and lower case are one."""
        return variable.lower() == name.lower() if style_of(vm).windows else variable == name

    def filesystems(self, vm: VirtualMachine) -> dict[str, LocalFilesystem.Info]:
        """All files are on the disk of the system."""
        return self._systems.filesystems(vm)

    def files(self, vm: VirtualMachine, now: datetime) -> GuestFiles:
        """As they are stored, or as they follow from the VM."""
        return SimulatedFiles(self._systems.look(vm, now))

    async def change_file(self, work: Work, vm: VirtualMachine, change: FileChange) -> Facts:
        """Store the guest with its changed files."""
        notes = Notes(self._inventory)
        system, tree = self._systems.open(notes, vm, self._now())
        result = changed(SimulatedFiles(tree), change)
        self._systems.store(notes, system, tree)
        return notes.facts(result=result)

    def processes(self, vm: VirtualMachine, now: datetime) -> dict[int, Processes.Info]:
        """Those that every guest has, and those that were started."""
        system = self._systems.stored(vm)
        return {pid: info(process, now) for pid, process in sorted(shown(vm, system, now).items())}

    def process(self, vm: VirtualMachine, pid: int, now: datetime) -> Processes.Info:
        """One of them."""
        found = self.processes(vm, now).get(pid)
        if found is None:
            raise no_process(pid)
        return found

    async def start_process(self, work: Work, vm: VirtualMachine, spec: Processes.CreateSpec, user: str) -> Facts:
        """The program acts on the files at once."""
        notes = Notes(self._inventory)
        system, tree = self._systems.open(notes, vm, self._now())
        system, pid = started(vm, system, tree, spec, user, variables(self._inventory, vm))
        self._systems.store(notes, system, tree)
        return notes.facts(result=pid)

    async def end_process(self, work: Work, vm: VirtualMachine, pid: int) -> Facts:
        """It is over at once."""
        notes = Notes(self._inventory)
        system, _ = self._systems.open(notes, vm, self._now())
        notes.put(ended(vm, system, pid, self._now()))
        return notes.facts()

    def has_installer(self, vm: VirtualMachine) -> bool:
        """In a CD-ROM drive."""
        return installer_drive(vm) is not None

    async def connect_installer(self, work: Work, vm: VirtualMachine) -> Facts:
        """The guest installs Tools at once where it has none."""
        return Facts(machine=with_installer(vm))

    async def disconnect_installer(self, work: Work, vm: VirtualMachine) -> Facts:
        """The drive is the host's again."""
        return Facts(machine=without_installer(vm))

    async def upgrade(self, work: Work, vm: VirtualMachine) -> Facts:
        """The release that the hosts have."""
        return Facts(machine=upgraded(vm))

    async def customize(self, work: Work, vm: VirtualMachine, spec: CustomizationSpec, began: datetime) -> Facts:
        """Names and addresses change at the end."""
        notes = Notes(self._inventory)
        return notes.facts(customize(notes, vm, spec, self._now(), started=began, live=True))

    async def agree_on_transfer(self, work: Work, vm: VirtualMachine, transfer: GuestTransfer) -> Facts:
        """See :class:`Transfers`."""
        return self._transfers.agree(vm, transfer, self._now())

    async def open_download(self, vm: VirtualMachine, transfer: GuestTransfer) -> Opened:
        """See :class:`Transfers`."""
        return await self._transfers.open(vm, transfer, self._now())

    async def end_download(self, work: Work, vm: VirtualMachine, transfer: GuestTransfer, digest: str) -> Facts:
        """See :class:`Transfers`."""
        return self._transfers.end_download(vm, transfer, digest, self._now())

    async def receive(self, vm: VirtualMachine, transfer: GuestTransfer, content: ByteStream) -> Received:
        """See :class:`Transfers`."""
        return await self._transfers.receive(vm, transfer, content, self._now())

    async def discard(self, received: Received) -> None:
        """See :class:`Transfers`."""
        await self._transfers.discard(received)

    async def end_upload(self, work: Work, vm: VirtualMachine, transfer: GuestTransfer, received: Received) -> Facts:
        """See :class:`Transfers`."""
        return self._transfers.end_upload(vm, transfer, received, self._now())

    async def go_on(self) -> None:
        """Take up what workers that died leave, and finish in the guests what takes time, until canceled."""
        async with asyncio.TaskGroup() as going_on:
            going_on.create_task(self._clean_up_now_and_then())
            going_on.create_task(self._customizations.due.run())

    async def _clean_up_now_and_then(self) -> None:
        while True:
            await self._transfers.clean_up()
            await asyncio.sleep(CLEAN_UP_SECONDS)
