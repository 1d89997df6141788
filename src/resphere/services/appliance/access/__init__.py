"""``com.vmware.appliance.access``: the ways into the appliance beside its API."""
