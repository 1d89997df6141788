"""Where virtual machines go: hosts, pools, datastores, and the policies that bar or prefer some."""
