"""``com.vmware.appliance.update``: gone through as vCenter does; nothing is really updated."""
