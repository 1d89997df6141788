"""``com.vmware.vcenter.certificate_management``: the certificates of this server."""
