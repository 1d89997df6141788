"""``com.vmware.appliance.recovery.backup.system_name``: of which systems there are backups at a location."""
