"""Processes of a simulated guest: what a program that is started does, when it ends, and how long it is remembered."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from resphere.contract.errors import InvalidArgument, NotFound, UnableToAllocateResource, message, vim_message
from resphere.contract.generated.vcenter_vm_guest import Processes
from resphere.inventory.guest import GuestProcess, GuestSystem
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.guest.cmd import run_batch, run_cmd_exe, run_line, words_of
from resphere.providers.simulator.guest.context import Context, TooMuchWork
from resphere.providers.simulator.guest.faults import denied, no_process, not_a_directory, not_a_file
from resphere.providers.simulator.guest.image import HOMES, environment, host_name_of, processes
from resphere.providers.simulator.guest.programs import PROGRAMS
from resphere.providers.simulator.guest.shell import SHELLS, SYSTEM_FOLDERS, run_text
from resphere.providers.simulator.guest.tree import FILE, Tree

REMEMBERED = timedelta(minutes=5)
"""How long after its end a process that was started from outside can be asked for."""

MOST_PROCESSES = 1000
LONGEST_ARGUMENTS = 131_072
"""Linux takes no longer one."""

TERMINATED = 143
"""The status of a process that was ended by a signal, as shells tell it."""


def shown(vm: VirtualMachine, system: GuestSystem, now: datetime) -> dict[int, GuestProcess]:
    """The processes at a moment, with those that ended lately."""
    own = {pid: process for pid, process in processes(vm, system).items() if pid not in system.ended}
    return own | {pid: process for pid, process in system.processes.items() if is_remembered(process, now)}


def is_remembered(process: GuestProcess, now: datetime) -> bool:
    """Whether a process runs, or ended not long ago."""
    return process.finishes is None or now < process.finishes + REMEMBERED


def is_running(process: GuestProcess, now: datetime) -> bool:
    """Whether a process has not ended yet."""
    return process.finishes is None or now < process.finishes


def info(process: GuestProcess, now: datetime) -> Processes.Info:
    """A process in the contract's terms."""
    ended = not is_running(process, now)
    return Processes.Info(
        name=process.name,
        owner=process.owner,
        command=process.command,
        started=process.started,
        finished=process.finishes if ended else None,
        exit_code=process.exit_code if ended else None,
    )


def started(
    vm: VirtualMachine,
    system: GuestSystem,
    tree: Tree,
    spec: Processes.CreateSpec,
    user: str,
    told: Mapping[str, str] | None = None,
) -> tuple[GuestSystem, int]:
    """The guest with the program of ``spec`` started, and the number of its process; ``told`` is what Tools hand out.

    What the program does to files, it does to ``tree`` at once; how long it sleeps is how long it lasts.

    :raises NotFound: there is no such program.
    :raises UnableToAllocateResource: it does not start.
    """
    context = _context(vm, tree, spec, user, told)
    try:
        status = _run(context, spec)
    except TooMuchWork as much:
        raise fails_to_start(spec.path, str(much)) from None
    kept = {pid: process for pid, process in system.processes.items() if is_remembered(process, tree.now)}
    if len(kept) >= MOST_PROCESSES:
        raise fails_to_start(spec.path, f"there are {MOST_PROCESSES} processes already")
    pid = system.next_pid
    process = GuestProcess(
        pid=pid,
        name=tree.style.parse(spec.path)[-1],
        owner=user,
        command=_command(spec),
        started=tree.now,
        finishes=tree.now + timedelta(seconds=context.slept_seconds),
        exit_code=status,
    )
    return msgspec.structs.replace(system, processes={**kept, pid: process}, next_pid=pid + 1), pid


def ended(vm: VirtualMachine, system: GuestSystem, pid: int, now: datetime) -> GuestSystem:
    """The guest with a process ended.

    :raises NotFound: there is none of that number that still runs.
    """
    process = shown(vm, system, now).get(pid)
    if process is None or not is_running(process, now):
        raise no_process(pid)
    if process.essential:
        raise denied(f"the process {pid} ({process.name}) belongs to the system")
    if pid not in system.processes:
        return msgspec.structs.replace(system, ended=(*system.ended, pid))
    stopped = msgspec.structs.replace(process, finishes=now, exit_code=TERMINATED)
    return msgspec.structs.replace(system, processes={**system.processes, pid: stopped})


def _context(
    vm: VirtualMachine, tree: Tree, spec: Processes.CreateSpec, user: str, told: Mapping[str, str] | None
) -> Context:
    windows = tree.style.windows
    if spec.start_minimized is not None and not windows:
        raise InvalidArgument(
            message(
                "resphere.vm.guest.start_minimized",
                "spec.start_minimized: must be unset where the guest is not Windows.",
            )
        )
    directory = spec.working_directory or HOMES[windows]
    try:
        directory = tree.style.write(tree.directory(directory))
    except NotFound:
        raise not_a_directory(directory) from None
    variables = dict(environment(vm) if spec.environment_variables is None else spec.environment_variables)
    return Context(tree, variables, directory, user, host_name_of(vm), told)


def _run(context: Context, spec: Processes.CreateSpec) -> int:
    """The program's exit code."""
    parts, node = context.tree.find(spec.path)
    if node.type is not FILE:
        raise not_a_file(spec.path)
    name, arguments = parts[-1], spec.arguments or ""
    if len(arguments) > LONGEST_ARGUMENTS:
        raise fails_to_start(spec.path, "the argument list is too long")
    if context.tree.style.windows:
        return _run_on_windows(context, spec.path, name.lower(), arguments)
    if not int(node.permissions, 8) & 0o111:
        raise denied(f"{spec.path} is not executable")
    if node.size == 0 and parts[:2] in SYSTEM_FOLDERS and name not in PROGRAMS and name not in SHELLS:
        raise fails_to_start(spec.path, "the simulated guest has the file, but does not know the program")
    return run_text(context, f"{shlex.quote(spec.path)} {arguments}")


def _run_on_windows(context: Context, path: str, name: str, arguments: str) -> int:
    if name.endswith((".bat", ".cmd")):
        return run_batch(context, path, words_of(arguments))
    if name == "cmd.exe":
        return run_cmd_exe(context, arguments)
    if name == "vmtoolsd.exe":
        return PROGRAMS["vmtoolsd"](context, words_of(arguments))
    if name in ("hostname.exe", "timeout.exe", "whoami.exe"):
        return run_line(context, f"{name} {arguments}")
    raise fails_to_start(path, "the simulated guest has the file, but does not know the program")


def _command(spec: Processes.CreateSpec) -> str:
    path = f'"{spec.path}"' if " " in spec.path else spec.path
    return f"{path} {spec.arguments}" if spec.arguments else path


def fails_to_start(path: str, why: str) -> UnableToAllocateResource:
    """The refusal of a program that does not start."""
    return UnableToAllocateResource(
        vim_message("resphere.guest.process_start", "The program {0} cannot be started: {1}.", path, why)
    )
