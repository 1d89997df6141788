"""The guests of simulated virtual machines."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from resphere.contract.errors import Unauthenticated, Unsupported, VapiError, message
from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest import Credentials, LocalFilesystem, Processes
from resphere.contract.model import ByteStream
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import GuestFiles, Job
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.customizing import customize
from resphere.providers.simulator.guest.faults import no_process
from resphere.providers.simulator.guest.files import SimulatedFiles
from resphere.providers.simulator.guest.image import administrator_of, environment, style_of
from resphere.providers.simulator.guest.processes import ended, info, shown, started
from resphere.providers.simulator.guest.systems import Systems, complete
from resphere.providers.simulator.guest.tools import installer_drive, upgraded, with_installer, without_installer
from resphere.providers.simulator.guest.tree import Limits
from resphere.providers.simulator.work.customizations import Customizations
from resphere.providers.simulator.work.transfers import Transfers
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.store.contents import Contents

R = TypeVar("R")


class GuestOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What simulated guests are like. ``user``: unset is ``root`` on POSIX systems and ``Administrator`` on Windows."""

    user: str | None = None
    password: str = "VMware1!"
    limits: Limits = Limits()


class Guests:
    """Each guest is a small file system and a table of processes."""

    def __init__(
        self,
        inventory: Replica,
        contents: Contents,
        now: Callable[[], datetime],
        durations: Durations,
        options: GuestOptions,
    ) -> None:
        self._durations = durations
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
                    vm.name,
                )
            )
        if credentials.interactive_session:
            raise Unsupported(
                message(
                    "resphere.vm.guest.interactive",
                    "Nobody is logged on to the desktop of the guest in {0}: set interactive_session to false.",
                    vm.name,
                )
            )
        user = self._options.user or administrator_of(vm)
        given, windows = credentials.user_name or "", style_of(vm).windows
        same = given.lower() == user.lower() if windows else given == user
        right = hmac.compare_digest((credentials.password or "").encode(), self._options.password.encode())
        if not (same and right):
            raise Unauthenticated(
                message(
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

    async def change_files(self, job: Job[VirtualMachine], act: Callable[[GuestFiles], R]) -> R:
        """Store the guest with what ``act`` makes of its files."""

        def plan(edit: Edit, vm: VirtualMachine) -> R:
            system, tree = self._systems.open(edit, vm, job.now())
            result = act(SimulatedFiles(tree))
            self._systems.store(edit, system, tree)
            return result

        return await complete(job, plan)

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

    async def start_process(self, job: Job[VirtualMachine], spec: Processes.CreateSpec, user: str) -> int:
        """The program acts on the files at once."""

        def plan(edit: Edit, vm: VirtualMachine) -> int:
            system, tree = self._systems.open(edit, vm, job.now())
            system, pid = started(vm, system, tree, spec, user)
            self._systems.store(edit, system, tree)
            return pid

        return await complete(job, plan)

    async def end_process(self, job: Job[VirtualMachine], pid: int) -> None:
        """It is over at once."""

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            system, _ = self._systems.open(edit, vm, job.now())
            edit.put(ended(vm, system, pid, job.now()))

        await job.complete(plan)

    def has_installer(self, vm: VirtualMachine) -> bool:
        """In a CD-ROM drive."""
        return installer_drive(vm) is not None

    async def connect_installer(self, job: Job[VirtualMachine]) -> None:
        """The guest installs Tools at once where it has none."""
        with_installer(job.target)
        await job.complete(lambda edit, vm: edit.put(with_installer(vm)))

    async def disconnect_installer(self, job: Job[VirtualMachine]) -> None:
        """The drive is the host's again."""
        await job.complete(lambda edit, vm: edit.put(without_installer(vm)))

    async def upgrade_tools(self, job: Job[VirtualMachine]) -> None:
        """The release that the hosts have."""
        await job.complete(lambda edit, vm: edit.put(upgraded(vm)))

    async def customize(self, job: Job[VirtualMachine], spec: CustomizationSpec) -> None:
        """Names and addresses change at the end. What breaks off, or is canceled, has failed."""
        began = job.now()

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            edit.put(customize(edit, vm, spec, job.now(), started=began, live=True))

        # What is refused before it has begun leaves no trace.
        await job.begin()
        try:
            await job.spend(self._durations.customize)
            await job.complete(plan)
        except VapiError as error:
            await self._customizations.fail_live(job.target.id, began, str(error))
            raise

    async def agree_on_transfer(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> None:
        """See :class:`Transfers`."""
        await self._transfers.agree(job, transfer)

    async def download(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> ByteStream:
        """See :class:`Transfers`."""
        return await self._transfers.download(job, transfer)

    async def upload(self, job: Job[VirtualMachine], transfer: GuestTransfer, content: ByteStream) -> None:
        """See :class:`Transfers`."""
        await self._transfers.upload(job, transfer, content)

    async def go_on(self) -> None:
        """Take up what workers that died have left, and then finish in the guests what takes time, until canceled."""
        await self._transfers.clean_up()
        await self._customizations.due.run()
