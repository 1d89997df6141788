"""``com.vmware.vcenter.vm.storage``: the storage policies of one virtual machine."""
