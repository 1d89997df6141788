"""Every noun of the command line, with what can be done to it. A further one is some lines here, one in ``table``."""

from __future__ import annotations

from resphere.cli.remote.nouns import NONE, ONE, Group, Noun, Verb

SNAPSHOT = Noun(
    name="snapshot",
    plural="snapshots",
    help="snapshots of a virtual machine (of resphere: vCenter's REST API has none)",
    parent="vm",
    list="resphere.vcenter.vm.snapshots.list",
    get="resphere.vcenter.vm.snapshots.get",
    id="snapshot",
    columns=("snapshot", "name", "created_time", "current", "memory"),
    wide=("parent", "power_state", "quiesced", "description"),
    verbs={
        "create": Verb(
            operation="resphere.vcenter.vm.snapshots.create",
            help="make a snapshot",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "revert": Verb(
            operation="resphere.vcenter.vm.snapshots.revert",
            help="put the machine back to what it was then",
            on=ONE,
            destroys=True,
            done="reverted to",
        ),
        "rm": Verb(
            operation="resphere.vcenter.vm.snapshots.delete",
            help="delete snapshots; the machine stays as it is",
            destroys=True,
            done="deleted",
        ),
    },
)

VM = Noun(
    name="vm",
    plural="vms",
    help="virtual machines",
    list="com.vmware.vcenter.VM.list",
    get="com.vmware.vcenter.VM.get",
    id="vm",
    id_type="VirtualMachineId",
    object_type="VirtualMachine",
    columns=("vm", "name", "power_state", "cpu_count", "memory_size_MiB"),
    filters=("filter.vms", "filter.names"),
    containers=(
        ("folder", "filter.folders"),
        ("datacenter", "filter.datacenters"),
        ("host", "filter.hosts"),
        ("cluster", "filter.clusters"),
        ("pool", "filter.resource_pools"),
    ),
    verbs={
        "create": Verb(
            operation="com.vmware.vcenter.VM.create",
            help="make a virtual machine; prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "clone": Verb(
            operation="com.vmware.vcenter.VM.clone",
            task="com.vmware.vcenter.VM.clone$task",
            help="copy a virtual machine; prints the id of the copy",
            on=ONE,
            target="spec.source",
            arguments=(("name", "spec.name"),),
            done="cloned",
        ),
        "power": Group(
            help="start, stop and the like",
            verbs={
                "on": Verb(operation="com.vmware.vcenter.vm.power.start", help="start", done="started"),
                "off": Verb(
                    operation="com.vmware.vcenter.vm.power.stop",
                    help="stop at once, as if the plug were pulled",
                    destroys=True,
                    done="stopped",
                ),
                "reset": Verb(
                    operation="com.vmware.vcenter.vm.power.reset",
                    help="stop and start at once",
                    destroys=True,
                    done="reset",
                ),
                "suspend": Verb(operation="com.vmware.vcenter.vm.power.suspend", help="suspend", done="suspended"),
                "shutdown": Verb(
                    operation="com.vmware.vcenter.vm.guest.power.shutdown",
                    help="ask the guest to shut down",
                    done="asked to shut down",
                ),
                "reboot": Verb(
                    operation="com.vmware.vcenter.vm.guest.power.reboot",
                    help="ask the guest to reboot",
                    done="asked to reboot",
                ),
                "standby": Verb(
                    operation="com.vmware.vcenter.vm.guest.power.standby",
                    help="ask the guest to stand by",
                    done="asked to stand by",
                ),
            },
        ),
        "snapshot": Group(help=SNAPSHOT.help, noun=SNAPSHOT),
        "migrate": Verb(
            operation="com.vmware.vcenter.VM.relocate",
            task="com.vmware.vcenter.VM.relocate$task",
            help="move to another host, cluster, pool, datastore or folder",
            done="migrated",
        ),
        "cpu": Verb(operation="com.vmware.vcenter.vm.hardware.cpu.update", help="change the CPUs", done="changed"),
        "memory": Verb(
            operation="com.vmware.vcenter.vm.hardware.memory.update", help="change the memory", done="changed"
        ),
        "ip": Verb(
            operation="com.vmware.vcenter.vm.guest.identity.get",
            help="the address that the guest tells",
            shows="ip_address",
        ),
        "console": Verb(
            operation="com.vmware.vcenter.vm.console.tickets.create",
            help="the address of the console, with a ticket that is good once",
            on=ONE,
            fixed={"spec.type": "WEBMKS"},
            shows="ticket",
        ),
        "rename": Verb(
            operation="resphere.vcenter.vm.update",
            help="give another name",
            on=ONE,
            arguments=(("name", "spec.name"),),
            done="renamed",
        ),
        "rm": Verb(
            operation="com.vmware.vcenter.VM.delete",
            help="delete virtual machines with their disks; they must be powered off",
            destroys=True,
            done="deleted",
        ),
    },
)

HOST = Noun(
    name="host",
    plural="hosts",
    help="hosts",
    list="com.vmware.vcenter.host.list",
    get="resphere.vcenter.host.get",
    id="host",
    id_type="HostSystemId",
    object_type="HostSystem",
    columns=("host", "name", "connection_state", "power_state"),
    wide=("host_uuid",),
    filters=("filter.hosts", "filter.names"),
    containers=(
        ("folder", "filter.folders"),
        ("datacenter", "filter.datacenters"),
        ("cluster", "filter.clusters"),
    ),
    verbs={
        "create": Verb(
            operation="com.vmware.vcenter.host.create",
            help="add a host; prints its id",
            on=NONE,
            arguments=(("hostname", "spec.hostname"),),
        ),
        "connect": Verb(operation="com.vmware.vcenter.host.connect", help="connect hosts", done="connected"),
        "disconnect": Verb(
            operation="com.vmware.vcenter.host.disconnect", help="disconnect hosts", destroys=True, done="disconnected"
        ),
        "maintenance": Verb(
            operation="resphere.vcenter.host.maintenance.set",
            task="resphere.vcenter.host.maintenance.set$task",
            help="enter maintenance mode, or exit it (of resphere)",
            destroys=True,
            done="in another mode",
        ),
        "move": Verb(
            operation="resphere.vcenter.host.move", help="move into a cluster or out of it (of resphere)", done="moved"
        ),
        "rm": Verb(operation="com.vmware.vcenter.host.delete", help="remove hosts", destroys=True, done="removed"),
    },
)

CLUSTER = Noun(
    name="cluster",
    plural="clusters",
    help="clusters",
    list="com.vmware.vcenter.cluster.list",
    get="com.vmware.vcenter.cluster.get",
    id="cluster",
    id_type="ClusterComputeResourceId",
    object_type="ClusterComputeResource",
    columns=("cluster", "name", "ha_enabled", "drs_enabled"),
    filters=("filter.clusters", "filter.names"),
    containers=(("folder", "filter.folders"), ("datacenter", "filter.datacenters")),
    verbs={
        "create": Verb(
            operation="resphere.vcenter.cluster.create",
            help="make a cluster (of resphere); prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "set": Verb(operation="resphere.vcenter.cluster.update", help="change clusters (of resphere)", done="changed"),
        "rm": Verb(
            operation="resphere.vcenter.cluster.delete",
            help="delete clusters (of resphere)",
            destroys=True,
            done="deleted",
        ),
    },
)

DATACENTER = Noun(
    name="datacenter",
    plural="datacenters",
    help="datacenters",
    list="com.vmware.vcenter.datacenter.list",
    get="com.vmware.vcenter.datacenter.get",
    id="datacenter",
    id_type="DatacenterId",
    object_type="Datacenter",
    columns=("datacenter", "name"),
    filters=("filter.datacenters", "filter.names"),
    containers=(("folder", "filter.folders"),),
    verbs={
        "create": Verb(
            operation="com.vmware.vcenter.datacenter.create",
            help="make a datacenter; prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "rm": Verb(
            operation="com.vmware.vcenter.datacenter.delete", help="delete datacenters", destroys=True, done="deleted"
        ),
    },
)

FOLDER = Noun(
    name="folder",
    plural="folders",
    help="folders",
    list="com.vmware.vcenter.folder.list",
    id="folder",
    id_type="FolderId",
    object_type="Folder",
    columns=("folder", "name", "type"),
    filters=("filter.folders", "filter.names"),
    containers=(("folder", "filter.parent_folders"), ("datacenter", "filter.datacenters")),
    verbs={
        "create": Verb(
            operation="resphere.vcenter.folder.create",
            help="make a folder (of resphere); prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "rename": Verb(
            operation="resphere.vcenter.folder.update",
            help="give another name (of resphere)",
            on=ONE,
            arguments=(("name", "spec.name"),),
            done="renamed",
        ),
        "move": Verb(operation="resphere.vcenter.folder.move", help="move (of resphere)", done="moved"),
        "rm": Verb(
            operation="resphere.vcenter.folder.delete",
            help="delete folders (of resphere)",
            destroys=True,
            done="deleted",
        ),
    },
)

DATASTORE = Noun(
    name="datastore",
    plural="datastores",
    help="datastores",
    list="com.vmware.vcenter.datastore.list",
    get="com.vmware.vcenter.datastore.get",
    id="datastore",
    id_type="DatastoreId",
    object_type="Datastore",
    columns=("datastore", "name", "type", "free_space", "capacity"),
    filters=("filter.datastores", "filter.names"),
    containers=(("folder", "filter.folders"), ("datacenter", "filter.datacenters")),
    verbs={
        "create": Verb(
            operation="resphere.vcenter.datastore.create",
            help="make a datastore (of resphere); prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "rm": Verb(
            operation="resphere.vcenter.datastore.delete",
            help="delete datastores (of resphere)",
            destroys=True,
            done="deleted",
        ),
    },
)

NETWORK = Noun(
    name="network",
    plural="networks",
    help="networks",
    list="com.vmware.vcenter.network.list",
    get="resphere.vcenter.network.get",
    id="network",
    id_type="NetworkId",
    object_type="Network",
    columns=("network", "name", "type"),
    filters=("filter.networks", "filter.names"),
    containers=(("folder", "filter.folders"), ("datacenter", "filter.datacenters")),
    verbs={
        "create": Verb(
            operation="resphere.vcenter.network.create",
            help="make a port group (of resphere); prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "rm": Verb(
            operation="resphere.vcenter.network.delete",
            help="delete port groups (of resphere)",
            destroys=True,
            done="deleted",
        ),
    },
)

POOL = Noun(
    name="pool",
    plural="pools",
    help="resource pools",
    list="com.vmware.vcenter.resource_pool.list",
    get="com.vmware.vcenter.resource_pool.get",
    id="resource_pool",
    id_type="ResourcePoolId",
    object_type="ResourcePool",
    columns=("resource_pool", "name"),
    filters=("filter.resource_pools", "filter.names"),
    containers=(
        ("pool", "filter.parent_resource_pools"),
        ("datacenter", "filter.datacenters"),
        ("host", "filter.hosts"),
        ("cluster", "filter.clusters"),
    ),
    verbs={
        "create": Verb(
            operation="com.vmware.vcenter.resource_pool.create",
            help="make a resource pool; prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "set": Verb(operation="com.vmware.vcenter.resource_pool.update", help="change resource pools", done="changed"),
        "rm": Verb(
            operation="com.vmware.vcenter.resource_pool.delete",
            help="delete resource pools",
            destroys=True,
            done="deleted",
        ),
    },
)

CATEGORY = Noun(
    name="category",
    plural="categories",
    help="categories of tags",
    list="com.vmware.cis.tagging.category.list",
    get="com.vmware.cis.tagging.category.get",
    get_id="category_id",
    id="id",
    id_type="CisTaggingCategoryId",
    each=True,
    columns=("name", "cardinality", "description"),
    wide=("id", "associable_types", "used_by"),
    verbs={
        "create": Verb(
            operation="com.vmware.cis.tagging.category.create",
            help="make a category; prints its id",
            on=NONE,
            arguments=(("name", "create_spec.name"),),
            fixed={
                "create_spec.description": "",
                "create_spec.associable_types": [],
                "create_spec.cardinality": "MULTIPLE",
            },
            without=("create_spec.category_id",),
        ),
        "rm": Verb(
            operation="com.vmware.cis.tagging.category.delete",
            help="delete categories with their tags",
            destroys=True,
            done="deleted",
        ),
    },
)

TAG = Noun(
    name="tag",
    plural="tags",
    help="tags",
    list="com.vmware.cis.tagging.tag.list",
    get="com.vmware.cis.tagging.tag.get",
    get_id="tag_id",
    id="id",
    id_type="CisTaggingTagId",
    each=True,
    columns=("name", "description"),
    wide=("id", "category_id", "used_by"),
    verbs={
        "create": Verb(
            operation="com.vmware.cis.tagging.tag.create",
            help="make a tag; prints its id",
            on=NONE,
            arguments=(("name", "create_spec.name"),),
            fixed={"create_spec.description": ""},
            without=("create_spec.tag_id",),
        ),
        "attach": Verb(
            operation="com.vmware.cis.tagging.tag_association.attach",
            help="attach to an object, such as vm/web-01",
            on=ONE,
            arguments=(("object", "object_id"),),
            done="attached",
        ),
        "detach": Verb(
            operation="com.vmware.cis.tagging.tag_association.detach",
            help="detach from an object",
            on=ONE,
            arguments=(("object", "object_id"),),
            done="detached",
        ),
        "objects": Verb(
            operation="com.vmware.cis.tagging.tag_association.list_attached_objects",
            help="what a tag is attached to",
            on=ONE,
        ),
        "rm": Verb(operation="com.vmware.cis.tagging.tag.delete", help="delete tags", destroys=True, done="deleted"),
    },
)

LIBRARY = Noun(
    name="library",
    plural="libraries",
    help="content libraries",
    list="com.vmware.content.library.list",
    get="com.vmware.content.library.get",
    get_id="library_id",
    id="id",
    id_type="ContentLibraryId",
    each=True,
    columns=("id", "name", "type", "creation_time"),
    wide=("description", "storage_backings", "version"),
    verbs={
        "create": Verb(
            operation="com.vmware.content.local_library.create",
            help="make a local library; prints its id",
            on=NONE,
            arguments=(("name", "create_spec.name"),),
            fixed={"create_spec.type": "LOCAL"},
            only=("create_spec.description", "create_spec.storage_backings", "create_spec.publish_info"),
        ),
        "sync": Verb(
            operation="com.vmware.content.subscribed_library.sync", help="sync subscribed libraries", done="synced"
        ),
        "rm": Verb(
            operation="com.vmware.content.local_library.delete",
            help="delete local libraries with their items",
            destroys=True,
            done="deleted",
        ),
    },
)

ITEM = Noun(
    name="item",
    plural="items",
    help="items of a content library",
    parent="library",
    list="com.vmware.content.library.item.list",
    get="com.vmware.content.library.item.get",
    get_id="library_item_id",
    id="id",
    id_type="ContentLibraryItemId",
    each=True,
    columns=("id", "name", "type", "size"),
    wide=("version", "last_modified_time", "description"),
    verbs={
        "rm": Verb(
            operation="com.vmware.content.library.item.delete",
            help="delete items",
            destroys=True,
            done="deleted",
        ),
    },
)

TASK = Noun(
    name="task",
    plural="tasks",
    help="tasks",
    list="com.vmware.cis.tasks.list",
    get="com.vmware.cis.tasks.get",
    id="task",
    label="task",
    id_type="CisTaskId",
    columns=("task", "operation", "status", "progress.completed", "target.id", "start_time"),
    wide=("service", "user", "end_time", "error.messages.0.default_message"),
    filters=("filter_spec.tasks", "filter_spec.tasks"),
    verbs={
        "cancel": Verb(
            operation="com.vmware.cis.tasks.cancel", help="cancel tasks", destroys=True, done="to be canceled"
        ),
    },
)

SESSIONS = Noun(
    name="sessions",
    plural="sessions",
    help="open sessions of a server (of resphere); `session` is that of a data directory",
    list="resphere.sessions.list",
    get="resphere.sessions.get",
    id="session",
    label="session",
    columns=("session", "user", "method", "client", "last_accessed_time"),
    wide=("created_time", "current", "source", "token"),
    verbs={
        "rm": Verb(operation="resphere.sessions.delete", help="end sessions", destroys=True, done="ended"),
    },
)

USERS = Noun(
    name="users",
    plural="users",
    help="local users of a server (of resphere); `user` is that of a data directory",
    list="resphere.users.list",
    get="resphere.users.get",
    id="user",
    columns=("user", "name", "disabled"),
    verbs={
        "create": Verb(
            operation="resphere.users.create",
            help="make a user; prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
        ),
        "set": Verb(operation="resphere.users.update", help="change users", done="changed"),
        "unlock": Verb(operation="resphere.users.unlock", help="let users in again", done="unlocked"),
        "rm": Verb(operation="resphere.users.delete", help="delete users", destroys=True, done="deleted"),
    },
)

ROLES = Noun(
    name="roles",
    plural="roles",
    help="roles of a server; `role` is that of a data directory",
    list="com.vmware.vcenter.authorization.roles.list",
    get="com.vmware.vcenter.authorization.roles.get",
    id="role",
    label="info.name",
    id_type="VcenterAuthorizationRoleId",
    rows="items",
    pages="iterate.marker",
    columns=("role", "info.name", "info.system", "info.description"),
    verbs={
        "create": Verb(
            operation="com.vmware.vcenter.authorization.roles.create",
            help="make a role; prints its id",
            on=NONE,
            arguments=(("name", "spec.name"),),
            fixed={"spec.description": ""},
        ),
        "set": Verb(operation="com.vmware.vcenter.authorization.roles.update", help="change roles", done="changed"),
        "rm": Verb(
            operation="com.vmware.vcenter.authorization.roles.delete",
            help="delete roles",
            destroys=True,
            done="deleted",
        ),
    },
)

EVENTS = Noun(
    name="events",
    plural="events",
    help="what has happened (of resphere)",
    list="resphere.events.list",
    id="sequence",
    label="type",
    rows="events",
    pages="filter.after",
    columns=("time", "type", "object.name", "message", "cause.user"),
    wide=("sequence", "kind", "change", "object.id", "task", "cause.operation"),
)

NOUNS = {
    noun.name: noun
    for noun in (
        VM,
        HOST,
        CLUSTER,
        DATACENTER,
        FOLDER,
        DATASTORE,
        NETWORK,
        POOL,
        TAG,
        CATEGORY,
        LIBRARY,
        ITEM,
        TASK,
        SESSIONS,
        USERS,
        ROLES,
        EVENTS,
    )
}
ALL = (*NOUNS.values(), SNAPSHOT)
