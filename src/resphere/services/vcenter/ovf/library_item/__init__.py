"""``com.vmware.vcenter.ovf.library_item``: what is in packages, machines made of them, and packages of machines."""
