"""``com.vmware.vcenter.system_config``: the kind of appliance, and its Platform Services Controller."""
