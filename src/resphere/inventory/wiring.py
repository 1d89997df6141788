"""What the inventory brings to a server: the tables of its objects and of what belongs to them."""

from __future__ import annotations

from resphere.inventory.acquisitions import ACQUISITIONS
from resphere.inventory.appliance.forwarding import FORWARDING_PROGRESS
from resphere.inventory.appliance.power import APPLIANCE_POWER
from resphere.inventory.appliance.probe import DATABASE_PROBES
from resphere.inventory.appliance.samples import MONITORING_SAMPLES
from resphere.inventory.appliance.settings import APPLIANCE_SETTINGS
from resphere.inventory.appliance.support_bundles import SUPPORT_BUNDLES
from resphere.inventory.appliance.update import APPLIANCE_UPDATES
from resphere.inventory.clock import CLOCKS
from resphere.inventory.compute_policies import COMPUTE_POLICIES
from resphere.inventory.console import CONSOLE_TICKETS
from resphere.inventory.content.tables import CONTENT_TABLES
from resphere.inventory.custom_attributes import CUSTOM_ATTRIBUTE_TABLES
from resphere.inventory.customization import CUSTOMIZATION_TABLES
from resphere.inventory.data_sets import DATA_SET_TABLES
from resphere.inventory.guest import GUEST_TABLES
from resphere.inventory.guest_reboot import GUEST_REBOOTS
from resphere.inventory.host_parts import HOST_PARTS
from resphere.inventory.installation import INSTALLATION
from resphere.inventory.states import SAVED_STATES
from resphere.inventory.storage_policies import STORAGE_POLICIES
from resphere.inventory.tables import TABLES
from resphere.inventory.tagging import TAGGING_TABLES
from resphere.inventory.vapp import VAPP_CONFIGURATIONS, VIRTUAL_APPS
from resphere.inventory.vcenter_services import VCENTER_SERVICES
from resphere.replica.wiring import Wiring

WIRING = Wiring(
    tables=(
        *TABLES,
        *TAGGING_TABLES,
        *CUSTOM_ATTRIBUTE_TABLES,
        *GUEST_TABLES,
        *CUSTOMIZATION_TABLES,
        *DATA_SET_TABLES,
        *HOST_PARTS,
        *CONTENT_TABLES,
        ACQUISITIONS,
        APPLIANCE_POWER,
        APPLIANCE_SETTINGS,
        APPLIANCE_UPDATES,
        CLOCKS,
        COMPUTE_POLICIES,
        CONSOLE_TICKETS,
        DATABASE_PROBES,
        FORWARDING_PROGRESS,
        GUEST_REBOOTS,
        INSTALLATION,
        MONITORING_SAMPLES,
        SAVED_STATES,
        STORAGE_POLICIES,
        SUPPORT_BUNDLES,
        VAPP_CONFIGURATIONS,
        VCENTER_SERVICES,
        VIRTUAL_APPS,
    )
)
