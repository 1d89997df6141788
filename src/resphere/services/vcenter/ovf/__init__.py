"""``com.vmware.vcenter.ovf``: OVF packages in content libraries."""
