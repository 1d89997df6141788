"""``com.vmware.vcenter.compute``: policies for where virtual machines run."""
