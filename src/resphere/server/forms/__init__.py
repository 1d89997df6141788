"""The form of documents: its number, the steps from one to the next, and how a store is brought to the present one."""
