"""``com.vmware.content.library.item.downloadsession``: what is in download sessions."""
