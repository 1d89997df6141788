"""``com.vmware.appliance.system.crypto_hash``: which hashes are used."""
