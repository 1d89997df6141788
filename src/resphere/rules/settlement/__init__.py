"""What the inventory becomes when an effect has come true: facts merged, and vCenter's own bookkeeping done."""
