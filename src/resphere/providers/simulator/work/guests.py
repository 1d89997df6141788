"""The guests of simulated virtual machines."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from resphere.contract.errors import NotFound, Unauthenticated, Unsupported, message
from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest import Credentials, Processes
from resphere.inventory.edit import Edit
from resphere.inventory.guest import GuestContent, GuestSystem, GuestTransfer, content_id, put_system
from resphere.inventory.model import VirtualMachine
from resphere.inventory.replica import Replica
from resphere.providers.base import GuestFiles, Job
from resphere.providers.simulator.guest.customizing import customize
from resphere.providers.simulator.guest.faults import no_process
from resphere.providers.simulator.guest.files import SimulatedFiles
from resphere.providers.simulator.guest.image import administrator_of, environment, image, style_of
from resphere.providers.simulator.guest.processes import ended, info, shown, started
from resphere.providers.simulator.guest.tools import installer_drive, upgraded, with_installer, without_installer
from resphere.providers.simulator.guest.tree import Limits, Tree

R = TypeVar("R")


class GuestOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What simulated guests are like. ``user``: unset is ``root`` on POSIX systems and ``Administrator`` on Windows."""

    user: str | None = None
    password: str = "VMware1!"
    limits: Limits = Limits()


class Guests:
    """Each guest is a small file system and a table of processes."""

    def __init__(self, inventory: Replica, options: GuestOptions) -> None:
        self._inventory = inventory
        self._options = options

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

    def files(self, vm: VirtualMachine, now: datetime) -> GuestFiles:
        """As they are stored, or as they follow from the VM."""
        system = self._inventory.get(GuestSystem, vm.id) or image(vm)
        return SimulatedFiles(self._tree(vm, system, now, self._inventory.get))

    async def change_files(self, job: Job[VirtualMachine], act: Callable[[GuestFiles], R]) -> R:
        """Store the guest with what ``act`` makes of its files."""

        def plan(edit: Edit, vm: VirtualMachine) -> R:
            system, tree = self._opened(edit, vm, job.now())
            result = act(SimulatedFiles(tree))
            self._store(edit, system, tree)
            return result

        return await job.complete(plan)

    def processes(self, vm: VirtualMachine, now: datetime) -> dict[int, Processes.Info]:
        """Those that every guest has, and those that were started."""
        system = self._inventory.get(GuestSystem, vm.id) or image(vm)
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
            system, tree = self._opened(edit, vm, job.now())
            system, pid = started(vm, system, tree, spec, user)
            self._store(edit, system, tree)
            return pid

        return await job.complete(plan)

    async def end_process(self, job: Job[VirtualMachine], pid: int) -> None:
        """It is over at once."""

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            system, _ = self._opened(edit, vm, job.now())
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
        """Names and addresses change at once."""

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            edit.put(customize(edit, vm, spec, job.now(), live=True))

        await job.complete(plan)

    async def agree_on_transfer(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> None:
        """Store it, and the guest too: a transfer is good for one start of it."""

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            system, tree = self._opened(edit, vm, job.now())
            files = SimulatedFiles(tree)
            if transfer.attributes is None:
                files.content(transfer.path)
            else:
                files.require_writable(transfer.path, transfer.attributes)
            edit.put(system)
            for old in self._inventory.by(GuestTransfer, "machine", vm.id).values():
                if old.expires <= job.now():
                    edit.delete(GuestTransfer, old.id)
            edit.put(msgspec.structs.replace(transfer, boot=system.boot, host=vm.host))

        await job.complete(plan)

    async def download(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> bytes:
        """The file as it is now."""

        def plan(edit: Edit, vm: VirtualMachine) -> bytes:
            system, tree = self._opened(edit, vm, job.now())
            self._use(edit, vm, system, transfer)
            return SimulatedFiles(tree).content(transfer.path)

        return await job.complete(plan)

    async def upload(self, job: Job[VirtualMachine], transfer: GuestTransfer, data: bytes) -> None:
        """The file is there, and the transfer used up, in one transaction."""

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            system, tree = self._opened(edit, vm, job.now())
            self._use(edit, vm, system, transfer)
            assert transfer.attributes is not None
            SimulatedFiles(tree).put(transfer.path, data, transfer.attributes)
            self._store(edit, system, tree)

        await job.complete(plan)

    def _use(self, edit: Edit, vm: VirtualMachine, system: GuestSystem, transfer: GuestTransfer) -> None:
        current = edit.get(GuestTransfer, transfer.id)
        if current is None or current.boot != system.boot or current.host != vm.host:
            raise no_transfer()
        edit.delete(GuestTransfer, transfer.id)

    def _opened(self, edit: Edit, vm: VirtualMachine, now: datetime) -> tuple[GuestSystem, Tree]:
        system = edit.get(GuestSystem, vm.id) or image(vm)
        # Who changes the guest relies on the VM: it runs still, and is where and what it was.
        edit.rely_on(vm)
        return system, self._tree(vm, system, now, edit.get)

    def _tree(
        self,
        vm: VirtualMachine,
        system: GuestSystem,
        now: datetime,
        get: Callable[[type[GuestContent], str], GuestContent | None],
    ) -> Tree:
        def stored(digest: str) -> bytes:
            content = get(GuestContent, content_id(vm.id, digest))
            assert content is not None, f"the content {digest} of {vm.id} is missing"
            return content.data

        return Tree(style_of(vm), system.nodes, stored, now, self._options.limits)

    def _store(self, edit: Edit, system: GuestSystem, tree: Tree) -> None:
        put_system(self._inventory, edit, msgspec.structs.replace(system, nodes=tree.nodes), tree.contents)


def no_transfer() -> NotFound:
    """The refusal of a transfer that is not, or no more."""
    return NotFound(
        message(
            "resphere.vm.guest.no_transfer",
            "This address of a guest file transfer is not valid: it was used, is too old, or the virtual machine was "
            "powered off, suspended or moved.",
        )
    )
