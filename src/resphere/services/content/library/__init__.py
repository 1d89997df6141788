"""``com.vmware.content.library`` and the services below it."""
