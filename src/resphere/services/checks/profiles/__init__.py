"""Profiles: the settings of the appliance and of authorization as documents, told and applied.

One mechanism for two APIs: ``com.vmware.appliance.infraprofile`` has the documents as texts,
``com.vmware.appliance.vcenter.settings.v1`` as structures. What is to be is written into an edit, by the functions that
check single settings; whether it would do, and what it would change, is what such an edit says that is then withheld.
"""
