"""``com.vmware.vstats``: figures of machines over time."""
