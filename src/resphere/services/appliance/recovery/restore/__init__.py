"""``com.vmware.appliance.recovery.restore``: from a backup to a server."""
