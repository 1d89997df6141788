"""``com.vmware.vcenter.storage``: storage policies and what complies with them."""
