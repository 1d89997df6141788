"""``com.vmware.appliance.tls.manual_parameters``: parameters of TLS that are set by hand."""
