"""Comparing git, the primary and the standby."""
