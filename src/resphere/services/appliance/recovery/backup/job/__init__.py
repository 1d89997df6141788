"""``com.vmware.appliance.recovery.backup.job``: backups in progress, and what became of others."""
