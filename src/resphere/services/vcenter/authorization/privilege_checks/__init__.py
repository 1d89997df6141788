"""``com.vmware.vcenter.authorization.privilege_checks``: which privileges were asked, and of whom."""
