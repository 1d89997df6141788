"""The connections of one worker: what they bring, and which of them are ended because they keep it waiting."""
