"""Gives a running server something of every kind, so that its data directory has documents of all tables.

Whatever a server does not know, it is asked for all the same: the same calls fill servers of any release.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.support.saml import nonce_of, party, signed_header
from tests.support.sts import Ask, token_of

ADMINISTRATOR = "administrator@vsphere.local"
CREDENTIALS = {
    "interactive_session": False,
    "type": "USERNAME_PASSWORD",
    "user_name": "root",
    "password": "VMware1!",
}
LARGE = b"a line of a large file\n" * 4000
"""Above what the store keeps in documents."""
VAPP = b"""<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References/>
  <VirtualSystemCollection ovf:id="vapp"><Info/>
    <ProductSection><Info/><Property ovf:key="domain" ovf:type="string" ovf:value="example.com"/></ProductSection>
    <StartupSection><Info/><Item ovf:id="first" ovf:order="1"/></StartupSection>
    <VirtualSystem ovf:id="first"><Info/></VirtualSystem>
  </VirtualSystemCollection>
</Envelope>"""
LOOKS, LOOK_SECONDS = 300, 0.1
"""So often, and every so many seconds, it is looked for what comes by itself; older releases do nothing of it."""
DESCRIPTOR = b"""<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <References><File ovf:id="file1" ovf:href="disk.vmdk"/></References>
  <DiskSection><Info/><Disk ovf:capacity="1048576" ovf:diskId="disk1" ovf:fileRef="file1"/></DiskSection>
  <VirtualSystem ovf:id="kept"><Info/>
    <VirtualHardwareSection ovf:transport="com.vmware.guestInfo"><Info/>
      <Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>6</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>
        <rasd:InstanceID>2</rasd:InstanceID><rasd:Parent>1</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
    </VirtualHardwareSection>
    <ProductSection><Info/>
      <Property ovf:key="password" ovf:type="string" ovf:password="true" ovf:userConfigurable="true"/>
    </ProductSection>
  </VirtualSystem>
</Envelope>"""


class Filler:
    """A client that goes on where a call is refused, and tells which were."""

    def __init__(self, url: str, password: str) -> None:
        self._url = url
        self._password = password
        self._http = requests.Session()
        self._http.trust_env = False
        reply = self._http.post(f"{url}/api/session", auth=(ADMINISTRATOR, password), timeout=60)
        self._http.headers["vmware-api-session-id"] = reply.json()
        self.refused: list[str] = []

    def call(self, method: str, path: str, body: object = None, key: str | None = None) -> Any:
        """The result, ``None`` where it was refused."""
        headers = {"Idempotency-Key": key}  # None sends none
        reply = self._http.request(method, f"{self._url}/api{path}", json=body, headers=headers, timeout=60)
        if reply.status_code >= 400:
            self.refused.append(f"{method} {path}: {reply.status_code} {reply.text[:200]}")
            return None
        return reply.json() if reply.content else None

    def post(self, path: str, body: object = None) -> Any:
        """A call that makes or does something."""
        return self.call("POST", path, body)

    def upload(self, vm: str, path: str, data: bytes) -> None:
        """Send a file into a guest."""
        address = self.post(
            f"/vcenter/vm/{vm}/guest/filesystem?action=create",
            {"credentials": CREDENTIALS, "spec": {"path": path, "attributes": {"size": len(data), "overwrite": True}}},
        )
        if address is not None:
            split = urlsplit(address)
            self._http.put(f"{self._url}{split.path}?{split.query}", data=data, timeout=60)

    def fill(self) -> None:
        """Make what there is of everything."""
        datacenter = self.call("GET", "/vcenter/datacenter")[0]["datacenter"]
        cluster = self.call("GET", "/vcenter/cluster")[0]["cluster"]
        hosts = [row["host"] for row in self.call("GET", "/vcenter/host")]
        folder = self.call("GET", "/vcenter/folder?type=VIRTUAL_MACHINE")[0]["folder"]
        datastores = self.call("GET", "/vcenter/datastore")
        place = {"folder": folder, "cluster": cluster, "datastore": datastores[0]["datastore"]}
        self._build(datacenter, cluster, hosts)
        vm = self.post(
            "/vcenter/vm",
            {
                "name": "kept",
                "guest_OS": "RHEL_8_64",
                "placement": place,
                "cdroms": [{"backing": {"type": "CLIENT_DEVICE"}}],
                "disks": [{"new_vmdk": {"capacity": 2**30}}, {"new_vmdk": {"capacity": 2**31}}],
            },
        )
        # Hardly any room is left on one.
        large = {"new_vmdk": {"capacity": datastores[-1]["free_space"] - 2**30}}
        full = {**place, "datastore": datastores[-1]["datastore"]}
        spec = {"name": "large", "guest_OS": "RHEL_8_64", "placement": full, "disks": [large]}
        self.call("POST", "/vcenter/vm", spec, key="large")
        for _ in range(2):
            self.call("GET", "/vcenter/authorization/privilege-checks/latest")
        self._tag(vm, hosts[0], datastores[0]["datastore"])
        running = self._running()
        for each in filter(None, (vm, running)):
            self._snapshot(each)
        self._disks(vm)
        self._guest(running)
        self._customize()
        self._identify()
        self._tend_appliance()
        self.post("/vcenter/vm?action=clone", {"source": vm, "name": "twin"})
        gone = self.post("/vcenter/vm?action=clone", {"source": vm, "name": "gone"})
        if gone is not None:
            self.post(f"/vcenter/vm/{gone}?action=unregister")
        self.post("/vcenter/vm?action=instant-clone", {"source": running, "name": "fork"})
        self.post(f"/vcenter/vm/{running}/console/tickets", {"type": "WEBMKS"})
        self.post("/vcenter/vm?action=clone&vmw-task=true", {"source": vm, "name": "task"})
        self._let_in()
        self._keep_contents(datastores[0]["datastore"])
        self._hold_key()
        work = {"items": [{"operation": "com.vmware.vcenter.vm.power.start", "input": {"vm": vm}}]}
        self.post("/resphere/bulk", work)
        nightly = {"name": "nightly", "trigger": {"type": "CRON", "cron": "0 3 * * *"}, "work": work}
        schedule = self.post("/resphere/schedules", nightly)
        self.post(f"/resphere/schedules/{schedule}?action=run")
        switched = {"type": "EVENT", "events": {"types": ["VmPoweredOnEvent"]}}
        self.post("/resphere/schedules", {**nightly, "name": "switched", "trigger": switched})
        self.post("/resphere/reports", {"name": "weekly"})
        owner = self.post("/vcenter/custom-attributes", {"name": "Owner"})
        self.call("PUT", f"/vcenter/custom-attributes/values/{vm}/{owner}", {"value": "ops"})
        self._send_events()
        self._back_up()
        self.call("PUT", "/resphere/clock", {"time": "2026-06-01T00:00:00Z"})
        self.post("/resphere/states", {"name": "furnished"})
        self.post("/resphere/faults", {"operation": "*", "error": "TIMED_OUT", "times": 0})

    def begin_work(self) -> None:
        """Begin what is still under way when the server is killed."""
        self._begin_items()
        for row in self.call("GET", "/vcenter/vm?names=fork"):
            self.post(f"/vcenter/vm/{row['vm']}/guest/power?action=reboot")
        stores = [row["datastore"] for row in self.call("GET", "/vcenter/datastore")]
        stopped = self.call("GET", "/vcenter/vm?names=twin")[0]["vm"]
        for store in stores:
            body = {"placement": {"datastore": store}}
            if self.post(f"/vcenter/vm/{stopped}?action=relocate&vmw-task=true", body) is not None:
                return

    def _begin_items(self) -> None:
        """A bulk operation of which an item has begun a task: of several datastores one is another than it has."""
        vm = self.call("GET", "/vcenter/vm?names=task")[0]["vm"]
        stores = [row["datastore"] for row in self.call("GET", "/vcenter/datastore")]
        item = "com.vmware.vcenter.VM.relocate$task"
        inputs = ({"vm": vm, "spec": {"placement": {"datastore": store}}} for store in stores)
        self.post("/resphere/bulk", {"items": [{"operation": item, "input": input} for input in inputs]})
        running = {"filter_spec": {"operations": ["relocate$task"], "status": ["RUNNING"]}}
        for _ in range(LOOKS):
            if self.post("/cis/tasks?action=list", running):
                return
            time.sleep(LOOK_SECONDS)

    def _send_events(self) -> None:
        """Have an event sent to where nobody listens."""
        filter = {"types": ["UserLoginSessionEvent"]}
        hook = {"name": "kept", "url": "http://127.0.0.1:9/", "attempts": 1, "after": 0, "filter": filter}
        made = self.post("/resphere/webhooks", hook)
        if made is None:
            return
        for _ in range(LOOKS):
            if self.call("GET", f"/resphere/webhooks/{made['webhook']}/dead-letters"):
                return
            time.sleep(LOOK_SECONDS)

    def _back_up(self) -> None:
        """Order backups, and ask for one that this server may not make."""
        location = "sftp://backups.example.com/vc"
        spec = {"location": location, "location_user": "vc", "location_password": "VMware1!"}
        times = {"recurrence_info": {"hour": 3, "minute": 0}, "retention_info": {"max_count": 2}}
        self.post("/appliance/recovery/backup/schedules", {"schedule": "nightly", "spec": {**spec, **times}})
        self.post("/appliance/recovery/backup/job", {**spec, "parts": [], "location_type": "SFTP"})

    def _hold_key(self) -> None:
        """Log in by a token and the key that it names."""
        holder, now = party("filler"), datetime.now(UTC)
        asked = Ask(moment=now, user=ADMINISTRATOR, password=self._password, signer=holder)
        reply = self._http.post(f"{self._url}/sts/STSService", data=asked.text.encode(), timeout=60)
        if reply.status_code != 200:
            self.refused.append(f"POST /sts/STSService: {reply.status_code} {reply.text[:200]}")
            return
        split = urlsplit(self._url)
        address = ("POST", "/api/session", str(split.hostname), str(split.port))
        header = signed_header(token_of(reply.text), "filler", address, nonce_of(now))
        requests.post(f"{self._url}/api/session", headers={"Authorization": header}, timeout=60).raise_for_status()

    def _running(self) -> str:
        """A Linux VM that runs, the first of them."""
        rows = self.call("GET", "/vcenter/vm?power_states=POWERED_ON")
        for row in rows:
            identity = self.call("GET", f"/vcenter/vm/{row['vm']}/guest/identity")
            if identity is not None and identity["family"] == "LINUX":
                return str(row["vm"])
        return str(rows[0]["vm"])

    def _build(self, datacenter: str, cluster: str, hosts: list[str]) -> None:
        info = self.call("GET", f"/vcenter/datacenter/{datacenter}")
        self.post("/vcenter/folder", {"name": "kept folder", "parent": info["vm_folder"]})
        parent = self.call("GET", f"/vcenter/cluster/{cluster}")
        if parent is not None:
            self.post("/vcenter/resource-pool", {"name": "kept", "parent": parent["resource_pool"]})
        self.call("PATCH", "/vcenter/services/vpxd-svcs", {"startup_type": "MANUAL"})
        self.post(f"/vcenter/host/{hosts[0]}/entropy/external-pool?action=add", {"data": "00" * 32})
        devices = self.call("GET", f"/vcenter/host/{hosts[0]}/hardware/direct-path-devices")
        for device in (devices or {"items": ()})["items"][-1:]:
            self.post(
                f"/vcenter/host/{hosts[0]}/hardware/direct-path-devices?action=configure&vmw-task=true",
                {"device": device["device"], "new_mode": "DIRECTPATH"},
            )

    def _tag(self, vm: str, host: str, datastore: str) -> None:
        category = self.post(
            "/cis/tagging/category",
            {
                "name": "speed",
                "description": "",
                "cardinality": "MULTIPLE",
                "associable_types": ["VirtualMachine", "HostSystem", "Datastore"],
            },
        )
        self.post(
            "/cis/tagging/category",
            {"name": "old", "description": "", "cardinality": "SINGLE", "associable_types": ["urn:vim25:Folder"]},
        )
        spec = {"description": "", "category_id": category}
        fast, database = (self.post("/cis/tagging/tag", {"name": name, **spec}) for name in ("fast", "database"))
        attached = (
            (fast, "HostSystem", host),
            (fast, "Datastore", datastore),
            (database, "VirtualMachine", vm),
        )
        for tag, type, id in attached:
            self.post(f"/cis/tagging/tag-association/{tag}?action=attach", {"object_id": {"type": type, "id": id}})
        self.post("/vcenter/storage/policies", {"name": "Gold", "datastore_types": ["VMFS"], "tags": [fast]})
        for row in self.call("GET", "/vcenter/storage/policies") or ():
            policy = {"type": "USE_SPECIFIED_POLICY", "policy": row["policy"]}
            self.call("PATCH", f"/vcenter/vm/{vm}/storage/policy", {"vm_home": policy})
        self.post(
            "/vcenter/compute/policies",
            {
                "capability": "com.vmware.vcenter.compute.policies.capabilities.vm_host_affinity",
                "name": "databases on fast hosts",
                "description": "",
                "vm_tag": database,
                "host_tag": fast,
            },
        )
        self.post(
            "/stats/acq-specs",
            {
                "counters": {"cid_mid": {"cid": "cpu.capacity.usage.VM"}},
                "resources": [{"type": "VM", "id_value": vm}],
                "interval": 60,
                "expiration": 4_000_000_000,
            },
        )

    def _snapshot(self, vm: str) -> None:
        self.post(f"/vcenter/vm/{vm}/snapshot", {"name": "first", "description": "kept"})
        self.post(f"/vcenter/vm/{vm}/snapshot", {"name": "second", "description": "kept"})

    def _disks(self, vm: str) -> None:
        for disk in (self.call("GET", f"/vcenter/vm/{vm}/hardware/disk") or ())[1:]:
            self.call("DELETE", f"/vcenter/vm/{vm}/hardware/disk/{disk['disk']}")
        set = self.post(
            f"/vcenter/vm/{vm}/data-sets",
            {"name": "kept", "description": "", "host": "READ_WRITE", "guest": "READ_ONLY"},
        )
        if set is not None:
            self.call("PUT", f"/vcenter/vm/{vm}/data-sets/{set}/entries/key", "value")

    def _guest(self, vm: str) -> None:
        self.upload(vm, "/root/small.txt", b"small")
        self.upload(vm, "/root/large.txt", LARGE)
        for program, arguments in (("/bin/sleep", "100000"), ("/bin/true", "")):
            self.post(
                f"/vcenter/vm/{vm}/guest/processes?action=create",
                {"credentials": CREDENTIALS, "spec": {"path": program, "arguments": arguments}},
            )
        self.post(
            f"/vcenter/vm/{vm}/guest/filesystem?action=create",
            {"credentials": CREDENTIALS, "spec": {"path": "/etc/hostname"}},
        )

    def _let_in(self) -> None:
        """A user with a group, a wrong password and an API token."""
        password = "Kept-2026"  # noqa: S105 - of a test
        user = self.post("/resphere/users", {"name": "kept@vsphere.local", "password": password})
        group = self.post("/resphere/groups", {"name": "Keepers"})
        self.post(f"/resphere/groups/{group}?action=add-members", {"users": [user]})
        self.post("/resphere/tokens", {"name": "kept", "privileges": ["Global.CancelTask"], "objects": ["group-d1"]})
        requests.post(f"{self._url}/api/session", auth=(user, "wrong"), timeout=60)
        requests.post(f"{self._url}/api/session", auth=(user, password), timeout=60)

    def _keep_contents(self, datastore: str) -> None:
        """A content library with an item that somebody reads and somebody changes."""
        self.call("PATCH", "/content/configuration", {"maximum_concurrent_item_syncs": 7})
        self.post("/content/trusted-certificates", {"cert_text": party("filler").certificate_pem})
        library = self.post(
            "/content/local-library",
            {
                "name": "kept",
                "storage_backings": [{"type": "DATASTORE", "datastore_id": datastore}],
                "publish_info": {"published": True, "authentication_method": "BASIC", "password": "kept"},
            },
        )
        self.post(f"/content/library/{library}/usages", {"resource_urn": "urn:vmomi:vm:vm-12"})
        item = self.post("/content/library/item", {"library_id": library, "name": "kept", "type": "iso"})
        first = self.post("/content/library/item/update-session", {"library_item_id": item})
        self._send(first, "kept.iso")
        self.post(f"/content/library/item/update-session/{first}?action=complete")
        reading = self.post("/content/library/item/download-session", {"library_item_id": item})
        self.post(f"/content/library/item/download-session/{reading}/file?action=prepare", {"file_name": "kept.iso"})
        second = self.post("/content/library/item/update-session", {"library_item_id": item})
        self._send(second, "more.iso")
        self._keep_template(library)
        self._keep_package(library)
        self._keep_subscriptions(datastore, library)
        self._keep_registry()

    def _keep_subscriptions(self, datastore: str, library: str) -> None:
        """A library that subscribes to another one, and is to sync once it may change."""
        places = [{"type": "DATASTORE", "datastore_id": datastore}]
        info = {"published": True, "authentication_method": "NONE"}
        source = self.post(
            "/content/local-library", {"name": "published", "storage_backings": places, "publish_info": info}
        )
        copies = {"name": "copies", "storage_backings": places, "automatic_sync_enabled": True, "on_demand": True}
        new = {"target": "CREATE_NEW", "location": "LOCAL", "new_subscribed_library": copies}
        subscription = self.post(f"/content/library/{source}/subscriptions", {"subscribed_library": new})
        found = self.call("GET", f"/content/library/{source}/subscriptions/{subscription}")
        if found is not None:
            self.post(f"/content/library/{found['subscribed_library']}?action=enter-maintenance")
        self.post(f"/content/local-library/{source}?action=publish")
        # And one that shows a password.
        kept = self.call("GET", f"/content/local-library/{library}") or {"publish_info": {}}
        basic = {
            "subscription_url": kept["publish_info"].get("publish_url"),
            "authentication_method": "BASIC",
            "password": "kept",
        }
        spec = {"name": "with a password", "storage_backings": places, "subscription_info": basic}
        self.post("/content/subscribed-library", spec)

    def _keep_registry(self) -> None:
        """A container registry with a project, in the first cluster that takes one."""
        for cluster in self.call("GET", "/vcenter/cluster") or ():
            if not (cluster["drs_enabled"] and cluster["ha_enabled"]):
                continue
            policy = "aa6d5a82-1c88-45da-85d3-3d74b91a5bad"
            path = "/vcenter/content/registries/harbor"
            registry = self.post(path, {"cluster": cluster["cluster"], "storage": [{"policy": policy}]})
            self.post(f"{path}/{registry}/projects", {"name": "kept", "scope": "PRIVATE"})
            return

    def _keep_template(self, library: str) -> None:
        """A template with a version before it, and a machine that is checked out of it."""
        vm = self.call("GET", "/vcenter/vm?names=kept")[0]["vm"]
        items = "/vcenter/vm-template/library-items"
        item = self.post(items, {"source_vm": vm, "name": "template", "library": library})
        out = self.post(f"{items}/{item}/check-outs?action=check-out", {})
        self.post(f"{items}/{item}/check-outs/{out}?action=check-in", {"message": "kept"})
        self.post(f"{items}/{item}/check-outs?action=check-out", {"name": "work"})

    def _keep_package(self, library: str) -> None:
        """A machine that is deployed from a package: with what is on its disk, and what is said to its guest."""
        item = self.post("/content/library/item", {"library_id": library, "name": "package", "type": "ovf"})
        session = self.post("/content/library/item/update-session", {"library_item_id": item})
        self._send(session, "machine.ovf", DESCRIPTOR)
        self._send(session, "disk.vmdk")
        self.post(f"/content/library/item/update-session/{session}?action=complete")
        pool = self.call("GET", "/vcenter/resource-pool")[0]["resource_pool"]
        given = {"type": "PropertyParams", "properties": [{"id": "password", "value": "kept"}]}
        spec = {"name": "deployed", "accept_all_EULA": True, "additional_parameters": [given]}
        target = {"resource_pool_id": pool}
        self.post(f"/vcenter/ovf/library-item/{item}?action=deploy", {"target": target, "deployment_spec": spec})
        vapp = self.post("/content/library/item", {"library_id": library, "name": "vapp", "type": "ovf"})
        session = self.post("/content/library/item/update-session", {"library_item_id": vapp})
        self._send(session, "vapp.ovf", VAPP)
        self.post(f"/content/library/item/update-session/{session}?action=complete")
        self.post(f"/vcenter/ovf/library-item/{vapp}?action=deploy", {"target": target, "deployment_spec": {}})

    def _send(self, session: str, name: str, data: bytes = LARGE) -> None:
        """Send a file to an update session."""
        spec = {"name": name, "source_type": "PUSH"}
        announced = self.post(f"/content/library/item/update-session/{session}/file", spec)
        if announced is not None:
            path = urlsplit(announced["upload_endpoint"]["uri"]).path
            self._http.put(f"{self._url}{path}", data=data, timeout=60)

    def _customize(self) -> None:
        spec = {
            "configuration_spec": {
                "linux_config": {
                    "hostname": {"type": "FIXED", "fixed_name": "web"},
                    "domain": "example.org",
                    "time_zone": "Europe/Sofia",
                }
            },
            "global_DNS_settings": {"dns_servers": ["192.168.7.53"], "dns_suffix_list": ["example.org"]},
            "interfaces": [],
        }
        self.post("/vcenter/guest/customization-specs", {"name": "kept", "description": "", "spec": spec})
        for each in self.call("GET", "/vcenter/vm?power_states=POWERED_OFF") or ():
            self.call("PUT", f"/vcenter/vm/{each['vm']}/guest/customization", {"name": "kept"})

    def _tend_appliance(self) -> None:
        """Settings of the appliance, and what it notes of itself."""
        self.call("PUT", "/appliance/system/global-fips", {"enabled": True})
        receiver = {"hostname": "192.168.7.53", "port": 514, "protocol": "UDP"}
        self.call("PUT", "/appliance/logging/forwarding", {"cfg_list": [receiver]})
        desired = {"appliance": {"syslog": [receiver]}}
        self.post("/appliance/vcenter/settings/v1/config", {"name": "kept", "desired_state": desired})
        self.call("GET", "/appliance/health/database")
        self.call("GET", "/appliance/update/pending?source_type=LOCAL")
        self.post("/appliance/support-bundle?vmw-task=true", {"description": "kept"})
        now = datetime.now(UTC).replace(microsecond=0)
        day = f"start_time={now:%Y-%m-%d}T00:00:00Z&end_time={now:%Y-%m-%d}T23:59:59Z"
        query = f"/appliance/monitoring/query?names=mem.total&interval=DAY1&function=MAX&{day}"
        for _ in range(LOOKS):
            measured, bundles = self.call("GET", query), self.call("GET", "/appliance/support-bundle")
            if not measured or (any(measured[0]["data"]) and bundles["supportbundle_operations"]):
                break
            time.sleep(LOOK_SECONDS)

    def _identify(self) -> None:
        place = {"users_base_dn": "ou=people,dc=example,dc=org", "groups_base_dn": "ou=groups,dc=example,dc=org"}
        self.call(
            "PUT",
            "/vcenter/identity/directories/kept",
            {
                "domain": "example.org",
                "type": "GROUP_OF_NAMES",
                "servers": ["ldaps://192.168.7.53"],
                "bind_name": "cn=reader,dc=example,dc=org",
                "bind_password": "kept",
                "groups": {"admins": ["Administrators@vsphere.local"]},
                **place,
            },
        )
        self.post(
            "/vcenter/identity/providers",
            {
                "config_tag": "Oauth2",
                "name": "kept",
                "oauth2": {
                    "auth_endpoint": "https://idp.example.org/auth",
                    "token_endpoint": "https://idp.example.org/token",
                    "public_key_uri": "https://idp.example.org/keys",
                    "issuer": "https://idp.example.org",
                    "client_id": "vcenter",
                    "client_secret": "kept",
                    "claim_map": {},
                    "authentication_method": "CLIENT_SECRET_BASIC",
                },
            },
        )
