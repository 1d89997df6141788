"""Content libraries through the official SDK, as its own samples use them: files are sent by ``urllib``."""

from __future__ import annotations

import hashlib
import ssl
import time
import urllib.error
import urllib.request
import uuid

import com.vmware.content.library.item.downloadsession_client as reading
import com.vmware.content.library.item.updatesession_client as changing
import com.vmware.content.library.item_client as sessions
import com.vmware.content.library_client as library_client
import com.vmware.content_client as content_client
import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter.ovf_client as ovf
import com.vmware.vcenter.vm_template.library_items_client as working
import com.vmware.vcenter.vm_template_client as templates
from cryptography.hazmat.primitives.asymmetric import ec

from tests.sdk.scripts.client import Check, Given, raises, run_checks
from tests.support.packages import archive, descriptor, issued, manifest, signed

DATA = bytes(range(256)) * 4096


def trusting(given: Given) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=given.ca)


def new_library(given: Given, name: str, store: str | None = None) -> str:
    stores = given.client.vcenter.Datastore.list()
    datastore = next(each.datastore for each in stores if store in (None, each.name))
    backing = library_client.StorageBacking(type=library_client.StorageBacking.Type.DATASTORE, datastore_id=datastore)
    spec = content_client.LibraryModel()
    spec.name, spec.description = name, "by the SDK"
    spec.type = content_client.LibraryModel.LibraryType.LOCAL
    spec.storage_backings = [backing]
    made: str = given.client.content.LocalLibrary.create(create_spec=spec, client_token=str(uuid.uuid4()))
    return made


def new_item(given: Given, library: str, name: str, type: str) -> str:
    spec = library_client.ItemModel(name=name, type=type, library_id=library)
    made: str = given.client.content.library.Item.create(create_spec=spec, client_token=str(uuid.uuid4()))
    return made


def push(given: Given, session: str, name: str, data: bytes) -> None:
    file = changing.File.AddSpec(name=name, source_type=changing.File.SourceType.PUSH, size=len(data))
    info = given.client.content.library.item.updatesession.File.add(session, file)
    request = urllib.request.Request(info.upload_endpoint.uri, data)
    request.add_header("Cache-Control", "no-cache")
    request.add_header("Content-Length", str(len(data)))
    request.add_header("Content-Type", "text/ovf")
    urllib.request.urlopen(request, context=trusting(given)).close()


def upload(given: Given, item: str, files: dict[str, bytes]) -> None:
    service = given.client.content.library.item
    spec = sessions.UpdateSessionModel(library_item_id=item)
    session = service.UpdateSession.create(create_spec=spec, client_token=str(uuid.uuid4()))
    for name, data in files.items():
        push(given, session, name, data)
    assert {info.status for info in service.updatesession.File.list(session)} == {"READY"}
    service.UpdateSession.complete(session)
    service.UpdateSession.delete(session)


def download(given: Given, item: str) -> dict[str, bytes]:
    service = given.client.content.library.item
    spec = sessions.DownloadSessionModel(library_item_id=item)
    session = service.DownloadSession.create(create_spec=spec, client_token=str(uuid.uuid4()))
    found = {}
    for info in service.downloadsession.File.list(session):
        service.downloadsession.File.prepare(session, info.name)
        until = time.monotonic() + 30
        while info.status != reading.File.PrepareStatus.PREPARED and time.monotonic() < until:
            info = service.downloadsession.File.get(session, info.name)
        with urllib.request.urlopen(info.download_endpoint.uri, context=trusting(given)) as reply:
            found[info.name] = reply.read()
        assert info.checksum_info.checksum == hashlib.sha256(found[info.name]).hexdigest()
    service.DownloadSession.delete(session)
    return found


def an_image(given: Given) -> None:
    content = given.client.content
    library = new_library(given, "sdk images")
    assert library in content.LocalLibrary.list()
    found = content.LocalLibrary.get(library)
    assert (found.name, found.publish_info.published, found.type) == ("sdk images", False, "LOCAL")
    item = new_item(given, library, "disc", "iso")
    upload(given, item, {"disc.iso": DATA})
    assert download(given, item) == {"disc.iso": DATA}
    (storage,) = content.library.item.Storage.list(item)
    assert storage.storage_uris[0].startswith("ds:///vmfs/volumes/")
    before = content.library.Item.get(item).content_version
    upload(given, item, {"disc.iso": DATA[:1000], "notes.txt": b"notes"})
    assert content.library.Item.get(item).content_version > before
    assert download(given, item) == {"disc.iso": DATA[:1000], "notes.txt": b"notes"}
    content.LocalLibrary.delete(library)
    with raises(errors.NotFound):
        content.Library.get(library)


def a_library_that_changes(given: Given) -> None:
    """As the sample of the life cycle does it: create, get, list, find, update, delete."""
    content = given.client.content
    library = new_library(given, "sdk crud")
    found = content.LocalLibrary.get(library)
    assert (found.id, found.description, found.version) == (library, "by the SDK", "2")
    wanted = content_client.Library.FindSpec(name="SDK CRUD", type=content_client.LibraryModel.LibraryType.LOCAL)
    assert content.Library.find(wanted) == [library]
    content.LocalLibrary.update(library, content_client.LibraryModel(description="changed"))
    changed = content.Library.get(library)
    assert (changed.name, changed.description, changed.version) == ("sdk crud", "changed", "3")
    with raises(errors.ConcurrentChange):
        content.LocalLibrary.update(library, content_client.LibraryModel(name="late", version="2"))
    publishing = library_client.PublishInfo(
        authentication_method=library_client.PublishInfo.AuthenticationMethod.NONE, published=True
    )
    content.LocalLibrary.update(library, content_client.LibraryModel(publish_info=publishing))
    assert content.LocalLibrary.get(library).publish_info.publish_url.endswith(f"/cls/vcsp/lib/{library}/lib.json")
    content.LocalLibrary.publish(library)
    (policy,) = content.SecurityPolicies.list()
    assert policy.item_type_rules == {"ovf": "OVF_STRICT_VERIFICATION"}
    assert {each.type for each in content.Type.list()} == {"iso", "ovf", "vm-template"}
    content.LocalLibrary.delete(library)
    assert library not in content.LocalLibrary.list()


def a_content_that_changes(given: Given) -> None:
    """As the sample of updated contents does it: each file of the item is taken out, others come, and the version
    rises."""
    service = given.client.content.library.item
    library = new_library(given, "sdk contents")
    item = new_item(given, library, "package", "ovf")
    upload(given, item, {"descriptor.ovf": descriptor(), "disk-0.vmdk": DATA})
    before = given.client.content.library.Item.get(item).content_version
    assert {file.name for file in service.File.list(item)} == {"descriptor.ovf", "disk-0.vmdk"}
    spec = sessions.UpdateSessionModel(library_item_id=item)
    session = service.UpdateSession.create(create_spec=spec, client_token=str(uuid.uuid4()))
    assert service.UpdateSession.list(item) == [session]
    for file in service.updatesession.File.list(session):
        assert (file.source_type, file.status) == ("NONE", "READY")
        service.updatesession.File.remove(session, file.name)
    assert service.updatesession.File.list(session) == []
    service.UpdateSession.keep_alive(session, 50)
    service.UpdateSession.complete(session)
    service.UpdateSession.delete(session)
    assert service.File.list(item) == []
    upload(given, item, {"descriptor.ovf": descriptor(), "disk-1.vmdk": DATA[:5000]})
    assert given.client.content.library.Item.get(item).content_version > before
    assert sorted(download(given, item)) == ["descriptor.ovf", "disk-1.vmdk"]
    given.client.content.LocalLibrary.delete(library)


def a_package(given: Given) -> None:
    library = new_library(given, "sdk packages")
    item = new_item(given, library, "package", "ovf")
    service = given.client.content.library.item
    session = service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    assert service.UpdateSession.get(session).preview_info.state == "UNAVAILABLE"
    service.UpdateSession.fail(session, "changed my mind")
    assert service.UpdateSession.get(session).error_message.default_message == "changed my mind"
    with raises(errors.NotAllowedInCurrentState):
        service.UpdateSession.complete(session)
    service.UpdateSession.delete(session)
    upload(given, item, {"disk.vmdk": DATA, "package.ovf": descriptor("disk.vmdk")})
    assert sorted(download(given, item)) == ["disk.vmdk", "package.ovf"]
    session = service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    push(given, session, "package.ovf", descriptor("disk.vmdk", "other.vmdk"))
    found = {info.name: info.status for info in service.updatesession.File.list(session)}
    assert found == {"package.ovf": "READY", "disk.vmdk": "READY", "other.vmdk": "WAITING_FOR_TRANSFER"}
    validated = service.updatesession.File.validate(session)
    assert (validated.has_errors, validated.missing_files) == (True, {"other.vmdk"})
    with raises(errors.NotAllowedInCurrentState):
        service.UpdateSession.complete(session)
    with raises(errors.NotAllowedInCurrentState):
        file = changing.File.AddSpec(name="package.mf", source_type=changing.File.SourceType.PUSH)
        service.updatesession.File.add(session, file)
    service.UpdateSession.cancel(session)
    given.client.content.LocalLibrary.delete(library)


def a_signed_archive(given: Given) -> None:
    """As VMware's sample imports one: send it, wait for the preview, ignore the warnings, complete."""
    library = new_library(given, "sdk archives")
    item = new_item(given, library, "signed", "ovf")
    service = given.client.content.library.item
    spec = sessions.UpdateSessionModel(library_item_id=item)
    session = service.UpdateSession.create(create_spec=spec, client_token=str(uuid.uuid4()))
    key = ec.generate_private_key(ec.SECP256R1())
    files = {"tiny.ovf": descriptor("tiny.vmdk"), "tiny.vmdk": DATA}
    of_files = manifest(files)
    certificate = signed(key, issued("SDK", key, "SDK", key), manifest=of_files, name="tiny.mf")
    content = {"tiny.ovf": files["tiny.ovf"], "tiny.mf": of_files, "tiny.cert": certificate, "tiny.vmdk": DATA}
    push(given, session, "tiny.ova", archive(content))
    until = time.monotonic() + 30
    while (found := service.UpdateSession.get(session)).preview_info.state != "AVAILABLE" and time.monotonic() < until:
        assert found.state != "ERROR", found.error_message
    preview = found.preview_info
    assert (preview.certificate_info.subject, preview.certificate_info.self_signed) == ("/CN=SDK", True)
    assert preview.certificate_info.x509.encode() in certificate
    types = [warning.type for warning in preview.warnings]
    assert types == ["SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE"]
    assert [warning.ignored for warning in preview.warnings] == [False, False]
    with raises(errors.NotAllowedInCurrentState):
        service.UpdateSession.complete(session)
    ignored = [changing.WarningBehavior(type=type, ignored=True) for type in types]
    service.UpdateSession.update(session, sessions.UpdateSessionModel(warning_behavior=ignored))
    service.UpdateSession.complete(session)
    service.UpdateSession.delete(session)
    assert download(given, item) == files
    session = service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    bad = archive({**content, "tiny.vmdk": DATA[::-1]})
    with raises(urllib.error.HTTPError):
        push(given, session, "tiny.ova", bad)
    found = service.UpdateSession.get(session)
    assert (found.state, found.preview_info) == ("ERROR", None)
    assert "do not match the content of file(s): tiny.vmdk" in found.error_message.default_message
    assert service.updatesession.File.get(session, "tiny.ova").status == "ERROR"
    assert download(given, item) == files
    given.client.content.LocalLibrary.delete(library)


DESCRIPTOR = b"""<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <References><File ovf:href="disk.vmdk" ovf:id="file1"/></References>
  <DiskSection><Info/><Disk ovf:capacity="2" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="disk1"
    ovf:fileRef="file1"/></DiskSection>
  <NetworkSection><Info/><Network ovf:name="lan"/></NetworkSection>
  <DeploymentOptionSection><Info/>
    <Configuration ovf:id="small"><Label>Small</Label><Description/></Configuration>
    <Configuration ovf:id="large"><Label>Large</Label><Description/></Configuration>
  </DeploymentOptionSection>
  <VirtualSystem ovf:id="tiny"><Info/><EulaSection><Info/><License>Be kind.</License></EulaSection>
    <VirtualHardwareSection><Info/>
      <Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>
      <Item ovf:configuration="large"><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>4</rasd:VirtualQuantity></Item>
      <Item><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
      <Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:Connection>lan</rasd:Connection><rasd:InstanceID>5</rasd:InstanceID>
        <rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>"""


def a_deployment(given: Given) -> None:
    """As VMware's own sample does it: find the item, see what is in it, map its networks, deploy."""
    library = new_library(given, "sdk deployments")
    upload(given, new_item(given, library, "tiny", "ovf"), {"disk.vmdk": DATA, "tiny.ovf": DESCRIPTOR})
    find = library_client.Item.FindSpec(name="tiny", library_id=library)
    (item,) = given.client.content.library.Item.find(find)
    vcenter, service = given.client.vcenter, given.client.vcenter.ovf.LibraryItem
    (cluster, *_) = vcenter.Cluster.list()
    pool = vcenter.Cluster.get(cluster.cluster).resource_pool
    target = ovf.LibraryItem.DeploymentTarget(resource_pool_id=pool)
    summary = service.filter(ovf_library_item_id=item, target=target)
    assert (summary.eulas if hasattr(summary, "eulas") else summary.EULAs) == ["Be kind."]
    assert summary.networks == ["lan"]
    options = [
        each for each in summary.additional_params if each.convert_to(ovf.OvfParams).type == "DeploymentOptionParams"
    ]
    (options,) = [each.convert_to(ovf.DeploymentOptionParams) for each in options]
    assert [each.key for each in options.deployment_options] == ["small", "large"]
    options.selected_key = "large"
    network = vcenter.Network.list()[0].network

    def spec(accepted: bool) -> ovf.LibraryItem.ResourcePoolDeploymentSpec:
        made = ovf.LibraryItem.ResourcePoolDeploymentSpec(
            name="sdk tiny",
            annotation="by the SDK",
            network_mappings={"lan": network},
            storage_provisioning=ovf.DiskProvisioningType("thin"),
            additional_parameters=[options],
        )
        made.accept_all_eula = accepted
        return made

    refused = service.deploy(item, target, spec(False), client_token=str(uuid.uuid4()))
    assert not refused.succeeded
    assert [each.name for each in refused.error.errors] == ["accept_all_EULA"]
    token = str(uuid.uuid4())
    result = service.deploy(item, target, spec(True), client_token=token)
    assert result.succeeded, result.error
    assert service.deploy(item, target, spec(True), client_token=token).resource_id.id == result.resource_id.id
    vm = vcenter.VM.get(result.resource_id.id)
    assert (vm.name, vm.cpu.count, vm.memory.size_mib) == ("sdk tiny", 4, 512)
    assert [disk.capacity for disk in vm.disks.values()] == [2 << 30]
    assert [(nic.type, nic.backing.network) for nic in vm.nics.values()] == [("VMXNET3", network)]
    taken = service.deploy(item, target, spec(True), client_token=str(uuid.uuid4()))
    (error,) = taken.error.errors
    assert error.error.convert_to(errors.AlreadyExists).messages[0].id == "com.vmware.vdcs.util.duplicate_name"
    captured = service.create(
        ovf.LibraryItem.DeployableIdentity("VirtualMachine", result.resource_id.id),
        ovf.LibraryItem.CreateTarget(library_id=library),
        ovf.LibraryItem.CreateSpec(name="captured", description="by the SDK"),
        client_token=str(uuid.uuid4()),
    )
    assert captured.succeeded, captured.error
    files = download(given, captured.ovf_library_item_id)
    assert sorted(files) == ["captured-1.vmdk", "captured.mf", "captured.ovf"]
    assert files["captured-1.vmdk"] == DATA
    vcenter.VM.delete(result.resource_id.id)


def an_image_in_a_machine(given: Given) -> None:
    vcenter = given.client.vcenter
    off = vcenter.VM.FilterSpec(power_states={"POWERED_OFF"})
    vm = vcenter.VM.list(off)[0].vm
    store = next(iter(vcenter.VM.get(vm).disks.values())).backing.vmdk_file.partition("]")[0].removeprefix("[")
    library = new_library(given, "sdk discs", store)
    item = new_item(given, library, "disc", "iso")
    upload(given, item, {"disc.iso": DATA})
    drive = vcenter.iso.Image.mount(item, vm)
    assert vcenter.vm.hardware.Cdrom.get(vm, drive).backing.type == "ISO_FILE"
    vcenter.iso.Image.unmount(vm, drive)
    with raises(errors.NotFound):
        vcenter.iso.Image.unmount(vm, drive)
    given.client.content.LocalLibrary.delete(library)


def a_template(given: Given) -> None:
    """As the samples of templates do it: create, deploy, check out, check in, roll back."""
    vcenter = given.client.vcenter
    service, library = vcenter.vm_template.LibraryItems, new_library(given, "sdk templates")
    source = vcenter.VM.list(vcenter.VM.FilterSpec(power_states={"POWERED_OFF"}))[0]
    pool = vcenter.ResourcePool.list()[0].resource_pool
    spec = templates.LibraryItems.CreateSpec()
    spec.source_vm, spec.name, spec.library = source.vm, "sdk-golden", library
    spec.placement = templates.LibraryItems.CreatePlacementSpec(resource_pool=pool)
    item = service.create(spec)
    info = service.get(item)
    assert sorted(info.disks) == sorted(vcenter.VM.get(source.vm).disks)
    deploy = templates.LibraryItems.DeploySpec(name="sdk-made")
    home = templates.LibraryItems.DeploySpecVmHomeStorage(datastore=info.vm_home_storage.datastore)
    deploy.vm_home_storage = home
    deploy.disk_storage = templates.LibraryItems.DeploySpecDiskStorage(datastore=info.vm_home_storage.datastore)
    deploy.placement = templates.LibraryItems.DeployPlacementSpec(resource_pool=pool)
    deploy.powered_on = True
    made = service.deploy(item, deploy)
    assert vcenter.vm.Power.get(made).state == "POWERED_ON"
    check_outs = vcenter.vm_template.library_items.CheckOuts
    out = check_outs.check_out(item, working.CheckOuts.CheckOutSpec(name="sdk-work", powered_on=True))
    assert vcenter.vm.LibraryItem.get(out).check_out.library_item == item
    with raises(errors.NotAllowedInCurrentState):
        check_outs.check_in(item, out, working.CheckOuts.CheckInSpec(message="early"))
    vcenter.vm.Power.stop(out)
    version = check_outs.check_in(item, out, working.CheckOuts.CheckInSpec(message="better"))
    versions = vcenter.vm_template.library_items.Versions
    assert [each.version for each in versions.list(item)] == [version, "1"]
    assert [each.version for each in given.client.content.library.item.Changes.list(item)] == [version]
    rolled = versions.rollback(item, "1", working.Versions.RollbackSpec(message="worse"))
    assert given.client.content.library.Item.get(item).content_version == rolled
    versions.delete(item, version)
    with raises(errors.NotFound):
        versions.get(item, version)
    given.client.content.LocalLibrary.delete(library)
    with raises(errors.NotFound):
        service.get(item)


def synced(given: Given, library: str, item: str) -> bool:
    """Whether the library has that item as it is where it is published."""
    content = given.client.content.library
    source = content.Item.get(item)
    twins = [content.Item.get(id) for id in content.Item.find(twins_of(library, item))]
    return any(
        (twin.metadata_version, twin.content_version) == (source.metadata_version, source.content_version)
        for twin in twins
    )


def twins_of(library: str, source: str) -> library_client.Item.FindSpec:
    return library_client.Item.FindSpec(library_id=library, source_id=source)


def until(given: Given, library: str, item: str) -> str:
    end = time.monotonic() + 60
    while not synced(given, library, item):
        assert time.monotonic() < end, "the library was not synced"
        time.sleep(0.1)
    (twin,) = given.client.content.library.Item.find(twins_of(library, item))
    return str(twin)


def publishing_and_subscribing(given: Given) -> None:
    """As the SDK's sample has it: subscribe by the address that the library tells, sync, evict, sync with content."""
    content = given.client.content
    stores = given.client.vcenter.Datastore.list()
    backing = library_client.StorageBacking(
        type=library_client.StorageBacking.Type.DATASTORE, datastore_id=stores[0].datastore
    )
    spec = content_client.LibraryModel(name="sdk published", storage_backings=[backing])
    spec.type = content_client.LibraryModel.LibraryType.LOCAL
    spec.publish_info = library_client.PublishInfo(
        published=True, authentication_method=library_client.PublishInfo.AuthenticationMethod.NONE
    )
    source = content.LocalLibrary.create(spec, str(uuid.uuid4()))
    first = new_item(given, source, "first", "iso")
    upload(given, first, {"first.iso": DATA})
    info = library_client.SubscriptionInfo(
        authentication_method=library_client.SubscriptionInfo.AuthenticationMethod.NONE,
        on_demand=False,
        automatic_sync_enabled=True,
        subscription_url=content.LocalLibrary.get(source).publish_info.publish_url,
    )
    spec = content_client.LibraryModel(name="sdk copies", storage_backings=[backing], subscription_info=info)
    spec.type = content_client.LibraryModel.LibraryType.SUBSCRIBED
    library = content.SubscribedLibrary.create(spec, str(uuid.uuid4()))
    assert content.SubscribedLibrary.get(library).subscription_info.subscription_url == info.subscription_url
    assert download(given, until(given, library, first)) == {"first.iso": DATA}

    second = new_item(given, source, "second", "iso")
    upload(given, second, {"second.iso": DATA[:1000]})
    content.SubscribedLibrary.sync(library)
    twin = until(given, library, second)
    change = content_client.LibraryModel(subscription_info=library_client.SubscriptionInfo(on_demand=True))
    content.SubscribedLibrary.update(library, change)
    service = content.library.SubscribedItem
    service.evict(twin)
    assert not content.library.Item.get(twin).cached
    service.sync(twin, True)
    end = time.monotonic() + 60
    while not content.library.Item.get(twin).cached:
        assert time.monotonic() < end, "the item was not synced"
        time.sleep(0.1)
    assert content.library.Item.get(twin).size == 1000
    with raises(errors.InvalidElementType):
        content.library.Item.delete(twin)
    assert content.SubscribedLibrary.probe(info).status == "SUCCESS"
    content.SubscribedLibrary.delete(library)
    content.LocalLibrary.delete(source)
    with raises(errors.NotFound):
        content.SubscribedLibrary.sync(library)


def publishing_a_template(given: Given) -> None:
    """As the SDK's sample has it: a subscription with a placement, publish, and the subscriber has the template."""
    content, vcenter = given.client.content, given.client.vcenter
    library = new_library(given, "sdk published templates")
    publishing = library_client.PublishInfo(
        authentication_method=library_client.PublishInfo.AuthenticationMethod.NONE, published=True
    )
    content.LocalLibrary.update(library, content_client.LibraryModel(publish_info=publishing))
    source = vcenter.VM.list(vcenter.VM.FilterSpec(power_states={"POWERED_OFF"}))[0]
    pool = vcenter.ResourcePool.list()[0].resource_pool
    spec = templates.LibraryItems.CreateSpec()
    spec.source_vm, spec.name, spec.library = source.vm, "sdk-published", library
    spec.placement = templates.LibraryItems.CreatePlacementSpec(resource_pool=pool)
    item = vcenter.vm_template.LibraryItems.create(spec)
    service = content.library.Subscriptions
    new = service.CreateSpecNewSubscribedLibrary(
        name="sdk template copies",
        storage_backings=content.LocalLibrary.get(library).storage_backings,
        automatic_sync_enabled=False,
        on_demand=False,
    )
    subscriber = service.CreateSpecSubscribedLibrary(
        target="CREATE_NEW",
        new_subscribed_library=new,
        location="LOCAL",
        placement=service.CreateSpecPlacement(resource_pool=pool),
    )
    subscription = service.create(library, service.CreateSpec(subscribed_library=subscriber))
    copies = service.get(library, subscription).subscribed_library
    destination = content.library.Item.DestinationSpec(subscription=subscription)
    content.library.Item.publish(item, False, [destination])
    twin = content.library.Item.get(until(given, copies, item))
    assert (twin.type, twin.source_id, content.library.Item.list(copies)) == ("vm-template", item, [twin.id])
    assert vcenter.vm_template.LibraryItems.get(twin.id).vm_template
    content.SubscribedLibrary.delete(copies)
    content.LocalLibrary.delete(library)


def refusals(given: Given) -> None:
    library = new_library(given, "sdk refusals")
    item = new_item(given, library, "one", "iso")
    with raises(errors.AlreadyExists):
        new_item(given, library, "one", "iso")
    service = given.client.content.library.item
    session = service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    with raises(errors.ResourceBusy):
        service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    file = changing.File.AddSpec(name="../one", source_type=changing.File.SourceType.PUSH)
    with raises(errors.InvalidArgument):
        service.updatesession.File.add(session, file)
    with raises(errors.NotFound):
        given.client.content.library.Item.get(library)
    service.UpdateSession.cancel(session)
    given.client.content.LocalLibrary.delete(library)


CHECKS: tuple[Check, ...] = (
    a_library_that_changes,
    an_image,
    a_content_that_changes,
    a_package,
    a_signed_archive,
    a_deployment,
    an_image_in_a_machine,
    a_template,
    publishing_and_subscribing,
    publishing_a_template,
    refusals,
)


if __name__ == "__main__":
    run_checks(CHECKS)
