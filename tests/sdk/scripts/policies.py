"""Storage policies, compute policies and statistics through the official SDK."""

from __future__ import annotations

import importlib
import time
from typing import Any

import com.vmware.cis.tagging_client as tagging
import com.vmware.vapi.std.errors_client as errors
import com.vmware.vapi.std_client as std
import com.vmware.vcenter.compute.policies.capabilities.vm_host_affinity_client as vm_host
import com.vmware.vcenter.compute.policies_client as compute
import com.vmware.vcenter.storage.policies_client as storage
import com.vmware.vcenter.vm.storage_client as vm_storage

from tests.sdk.scripts.client import Check, Given, raises, run_checks

CAPABILITY = "com.vmware.vcenter.compute.policies.capabilities.vm_host_affinity"


def storage_policies(given: Given) -> None:
    client = given.client.vcenter
    policies = {summary.name: summary.policy for summary in client.storage.Policies.list()}
    encryption = policies["VM Encryption Policy"]
    listed_stores = client.Datastore.list()
    stores = {store.datastore for store in listed_stores}
    found = client.storage.Policies.check_compatibility(encryption, stores)
    assert {each.datastore for each in found.compatible_datastores} == stores
    vm = given.vm("POWERED_ON")
    specified = vm_storage.Policy.VmHomePolicySpec.PolicyType.USE_SPECIFIED_POLICY
    home = vm_storage.Policy.VmHomePolicySpec(type=specified, policy=encryption)
    client.vm.storage.Policy.update(vm, vm_storage.Policy.UpdateSpec(vm_home=home))
    assert client.vm.storage.Policy.get(vm).vm_home == encryption
    checked = client.vm.storage.policy.Compliance.check(vm)
    assert (checked.overall_compliance, checked.vm_home.policy) == ("COMPLIANT", encryption)
    assert vm in client.storage.policies.VM.list(encryption)
    status = storage.Compliance.Status.COMPLIANT
    listed = client.storage.policies.Compliance.list(storage.Compliance.FilterSpec(status={status}))
    assert vm in {summary.vm for summary in listed}
    # Others, such as vSAN, have a policy of their own.
    plain = next(store.datastore for store in listed_stores if store.type == "VMFS")
    assert client.datastore.DefaultPolicy.get(plain) is None
    with raises(errors.NotFound):
        client.storage.Policies.check_compatibility("none", stores)
    wrong = vm_storage.Policy.VmHomePolicySpec(type=specified, policy="none")
    with raises(errors.InvalidArgument):
        client.vm.storage.Policy.update(vm, vm_storage.Policy.UpdateSpec(vm_home=wrong))


def new_tag(given: Given, name: str) -> Any:
    client = given.client.tagging
    cardinality = tagging.CategoryModel.Cardinality.MULTIPLE
    category = client.Category.create(
        tagging.Category.CreateSpec(name=name, description="", cardinality=cardinality, associable_types=set())
    )
    return client.Tag.create(tagging.Tag.CreateSpec(name=name, description="", category_id=category))


def compute_policies(given: Given) -> None:
    client = given.client.vcenter
    policies = client.compute.Policies
    vm_tag, host_tag = new_tag(given, "sdk-web"), new_tag(given, "sdk-fast")
    vm = given.vm("POWERED_ON")
    given.client.tagging.TagAssociation.attach(vm_tag, std.DynamicID(type="VirtualMachine", id=vm))
    spec = vm_host.CreateSpec(vm_tag=vm_tag, host_tag=host_tag, name="sdk policy", description="by the SDK")
    policy = policies.create(spec)
    info = policies.get(policy).convert_to(vm_host.Info)
    told = (info.name, info.vm_tag, info.host_tag, info.capability)
    assert told == ("sdk policy", vm_tag, host_tag, CAPABILITY), told
    assert policy in {summary.policy for summary in policies.list()}
    about = client.compute.policies.Capabilities.get(CAPABILITY)
    assert about.create_spec_type == f"{CAPABILITY}.create_spec"
    used = client.compute.policies.TagUsage.list(compute.TagUsage.FilterSpec(policies={policy}))
    assert {use.tag for use in used} == {vm_tag, host_tag}
    status = client.vm.compute.Policies.get(vm, policy).status
    assert status in ("NOT_COMPLIANT", "NOT_APPLICABLE"), status
    with raises(errors.AlreadyExists):
        policies.create(spec)
    policies.delete(policy)
    with raises(errors.NotFound):
        policies.get(policy)


def statistics(given: Given) -> None:
    try:
        vstats = importlib.import_module("com.vmware.vstats_client")
    except ModuleNotFoundError:
        return  # The SDK of 9.1 has none, as vCenter 9.1 has none.
    stubs = given.stubs
    vm = given.vm("POWERED_ON")
    counters = vstats.Counters(stubs).list(vstats.Counters.FilterSpec(types=["VM"]))
    assert "cpu.capacity.usage.VM" in {counter.cid for counter in counters}
    cid_mid = vstats.CidMid(cid="cpu.capacity.usage.VM")
    resource = vstats.RsrcId(type="VM", id_value=vm)
    spec = vstats.AcqSpecs.CreateSpec(
        counters=vstats.AcqSpecs.CounterSpec(cid_mid=cid_mid), resources=[resource], interval=1, memo_="sdk"
    )
    specs = vstats.AcqSpecs(stubs)
    made = specs.create(spec)
    assert (specs.get(made).memo_, specs.get(made).status) == ("sdk", "ENABLED")
    data = vstats.Data(stubs)
    filter = vstats.Data.FilterSpec(resources=[f"type.VM={vm}"], cid="cpu.capacity.usage.VM")
    give_up = time.monotonic() + 30
    while not (points := data.query_data_points(filter).data_points):
        assert time.monotonic() < give_up, "nothing is recorded"
        time.sleep(0.1)
    assert {point.rid for point in points} == {f"type.VM={vm}"}
    assert points[0].val > 0
    specs.delete(made)
    with raises(errors.NotFound):
        specs.get(made)
    with raises(errors.InvalidArgument):
        data.query_data_points(vstats.Data.FilterSpec(cid="magic"))


CHECKS: tuple[Check, ...] = (storage_policies, compute_policies, statistics)


if __name__ == "__main__":
    run_checks(CHECKS)
