"""``com.vmware.appliance``: the appliance that vCenter runs on."""
