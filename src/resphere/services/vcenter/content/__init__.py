"""``com.vmware.content``: content libraries."""
