"""``com.vmware.appliance.vcenter.settings.v1``: the state as it is, and as it is desired."""
