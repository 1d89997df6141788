"""``com.vmware.appliance.recovery``: backups of this server, and their restoration."""
