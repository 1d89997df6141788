"""``com.vmware.appliance.support_bundle``: archives for those who help."""
