"""Virtual hardware: devices, their places on buses, and what power states allow."""
