"""VMware's own checks of a vCenter's configuration (``config-modules-vmware``), unmodified."""
