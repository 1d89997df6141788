"""``com.vmware.vcenter.authorization.vt_containers``: which objects are in which vTContainers."""
