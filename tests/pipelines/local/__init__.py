"""Steps on this machine."""
