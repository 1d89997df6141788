"""``com.vmware.content.library.item.updatesession``: what is in update sessions."""
