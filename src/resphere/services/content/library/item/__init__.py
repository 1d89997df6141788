"""``com.vmware.content.library.item`` and the services below it."""
