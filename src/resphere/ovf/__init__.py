"""OVF packages: descriptors read and written, what machine one means, archives, manifests, certificates, VMDK files."""
