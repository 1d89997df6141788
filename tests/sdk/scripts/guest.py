"""Does to a guest what the SDK's own sample of guest operations does, and tells what went wrong in which check."""

from __future__ import annotations

import time

import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter.guest_client as guest
import com.vmware.vcenter.vm.console_client as console
import com.vmware.vcenter.vm.data_sets_client as data_sets
import com.vmware.vcenter.vm.guest.filesystem_client as filesystem
import com.vmware.vcenter.vm.guest_client as vm_guest
import com.vmware.vcenter.vm.tools_client as tools
import com.vmware.vcenter.vm_client as vm_services
import com.vmware.vcenter_client as vcenter

from tests.sdk.scripts.client import Check, Given, raises, run_checks

CREDENTIALS = vm_guest.Credentials(
    interactive_session=False,
    type=vm_guest.Credentials.Type.USERNAME_PASSWORD,
    user_name="root",
    password="VMware1!",
)
SCRIPT = b"#!/bin/sh\necho from the script > $1\nexit 4\n"
END_SECONDS = 30


def linux_vm(given: Given, state: str = "POWERED_ON") -> str:
    """A VM with a Linux guest, in a power state."""
    power = given.client.vcenter.vm.Power
    for vm in given.client.vcenter.VM.list(vcenter.VM.FilterSpec(power_states={"POWERED_ON", "POWERED_OFF"})):
        info = given.client.vcenter.VM.get(vm.vm)
        if not str(info.guest_os).startswith(("UBUNTU", "RHEL", "DEBIAN", "CENTOS", "ROCKY", "ALMA", "SLES")):
            continue
        if str(vm.power_state) != state:
            (power.start if state == "POWERED_ON" else power.stop)(vm.vm)
        if state == "POWERED_OFF" or vm_guest.Operations(given.stubs).get(vm.vm).guest_operations_ready:
            identity: str = vm.vm
            return identity
    raise AssertionError("there is no VM with a Linux guest")


def upload(given: Given, vm: str, path: str, data: bytes) -> None:
    """Put a file into the guest."""
    attributes = filesystem.Transfers.FileCreationAttributes(
        size=len(data),
        overwrite=True,
        posix=filesystem.Transfers.PosixFileAttributesCreateSpec(permissions="0755"),
    )
    spec = filesystem.Transfers.CreateSpec(path=path, attributes=attributes)
    address = filesystem.Transfers(given.stubs).create(vm, CREDENTIALS, spec)
    # The sample puts the server's name where an asterisk stands.
    reply = given.transport().put(address.replace("*", given.server), data=data)
    reply.raise_for_status()


def download(given: Given, vm: str, path: str) -> bytes:
    """A file of the guest."""
    spec = filesystem.Transfers.CreateSpec(path=path)
    address = filesystem.Transfers(given.stubs).create(vm, CREDENTIALS, spec)
    reply = given.transport().get(address.replace("*", given.server))
    reply.raise_for_status()
    content: bytes = reply.content
    return content


def guest_operations(given: Given) -> None:
    vm = linux_vm(given)
    directories, files = filesystem.Directories(given.stubs), filesystem.Files(given.stubs)
    folder = directories.create_temporary(vm, CREDENTIALS, "", "", parent_path=None)
    output = files.create_temporary(vm, CREDENTIALS, "", ".stdout", parent_path=folder)
    upload(given, vm, f"{folder}/script.sh", SCRIPT)
    spec = vm_guest.Processes.CreateSpec(
        path=f"{folder}/script.sh", arguments=output, working_directory=folder, environment_variables={}
    )
    pid = vm_guest.Processes(given.stubs).create(vm, CREDENTIALS, spec)
    until = time.monotonic() + END_SECONDS
    process = vm_guest.Processes(given.stubs).get(vm, CREDENTIALS, pid)
    while process.finished is None and time.monotonic() < until:
        process = vm_guest.Processes(given.stubs).get(vm, CREDENTIALS, pid)
    assert (process.exit_code, process.owner) == (4, "root"), process
    assert download(given, vm, output) == b"from the script\n"
    listed = files.list(vm, CREDENTIALS, folder)
    assert sorted(each.filename for each in listed.files)[-1] == "script.sh"
    assert files.get(vm, CREDENTIALS, output).attributes.posix_attributes.permissions == "0600"
    directories.delete(vm, CREDENTIALS, folder, recursive=True)
    with raises(errors.NotFound) as caught:
        files.get(vm, CREDENTIALS, output)
    details = caught[0].data.convert_to(filesystem.FileErrorDetails)
    assert (str(details.reason), details.file_path) == ("FILE_NOT_FOUND", output)
    with raises(errors.NotFound) as caught:
        vm_guest.Processes(given.stubs).get(vm, CREDENTIALS, 99999)
    assert caught[0].data.convert_to(vm_guest.Processes.ProcessErrorDetails).pid == 99999


def guest_credentials(given: Given) -> None:
    vm = linux_vm(given)
    wrong = vm_guest.Credentials(
        interactive_session=False,
        type=vm_guest.Credentials.Type.USERNAME_PASSWORD,
        user_name="root",
        password="wrong",
    )
    with raises(errors.Unauthenticated) as caught:
        vm_guest.Processes(given.stubs).list(vm, wrong)
    assert caught[0].messages[0].id == "vmsg.InvalidGuestLogin.summary"
    token = vm_guest.Credentials(
        interactive_session=False, type=vm_guest.Credentials.Type.SAML_BEARER_TOKEN, saml_token="<saml/>"
    )
    with raises(errors.Unsupported):
        vm_guest.Environment(given.stubs).list(vm, token, set())
    assert vm_guest.Environment(given.stubs).get(vm, CREDENTIALS, "HOME") == "/root"


def customization(given: Given) -> None:
    vm = linux_vm(given, "POWERED_OFF")
    specs = guest.CustomizationSpecs(given.stubs)
    spec = guest.CustomizationSpec(
        configuration_spec=guest.ConfigurationSpec(
            linux_config=guest.LinuxConfiguration(
                hostname=guest.HostnameGenerator(type=guest.HostnameGenerator.Type.FIXED, fixed_name="web"),
                domain="example.org",
            )
        ),
        global_dns_settings=guest.GlobalDNSSettings(dns_servers=["192.168.7.53"]),
        interfaces=[],
    )
    made = guest.CustomizationSpecs.CreateSpec(name="sdk", description="", spec=spec)
    assert specs.create(made) == "sdk"
    with raises(errors.AlreadyExists):
        specs.create(made)
    kept = specs.get("sdk").spec
    kept.description = "edited"
    specs.set("sdk", kept)
    with raises(errors.InvalidArgument):
        specs.set("sdk", kept)
    for format in ("XML", "JSON"):
        found = specs.import_specification(specs.export("sdk", format))
        assert found.spec.configuration_spec.linux_config.hostname.fixed_name == "web", format
    assert [each.name for each in specs.list()] == ["sdk"]
    service = vm_guest.Customization(given.stubs)
    service.set(vm, vm_guest.Customization.SetSpec(name="sdk"))
    assert str(service.get(vm).status) == "PENDING"
    given.client.vcenter.vm.Power.start(vm)
    assert str(service.get(vm).status) == "SUCCEEDED"
    assert vm_guest.Identity(given.stubs).get(vm).host_name == "web.example.org"
    specs.delete("sdk")


def installer(given: Given) -> None:
    vm, service = linux_vm(given), tools.Installer(given.stubs)
    service.connect(vm)
    with raises(errors.AlreadyInDesiredState):
        service.connect(vm)
    assert service.get(vm).is_connected
    service.disconnect(vm)
    assert not service.get(vm).is_connected


def consoles(given: Given) -> None:
    spec = console.Tickets.CreateSpec(type=console.Tickets.Type.VMRC)
    ticket = console.Tickets(given.stubs).create(linux_vm(given), spec).ticket
    assert ticket.startswith("vmrc://clone:")
    assert given.server in ticket


def sets_of_data(given: Given) -> None:
    services, entries = vm_services.DataSets(given.stubs), data_sets.Entries(given.stubs)
    for vm in given.client.vcenter.VM.list():
        if str(given.client.vcenter.vm.Hardware.get(vm.vm).version) in ("VMX_20", "VMX_21"):
            break
    else:
        raise AssertionError("no VM has hardware for data sets")
    access = vm_services.DataSets.Access.READ_WRITE
    spec = vm_services.DataSets.CreateSpec(name="sdk", description="", host=access, guest=access)
    made = services.create(vm.vm, spec)
    entries.set(vm.vm, made, "key", "value")
    assert (entries.list(vm.vm, made), entries.get(vm.vm, made, "key")) == ({"key"}, "value")
    with raises(errors.ResourceInUse):
        services.delete(vm.vm, made)
    services.delete(vm.vm, made, force=True)


CHECKS: tuple[Check, ...] = (
    guest_operations,
    guest_credentials,
    customization,
    installer,
    consoles,
    sets_of_data,
)


if __name__ == "__main__":
    run_checks(CHECKS)
